import { afterAll, describe, expect, it } from 'vitest'
import { type Aws, startAws } from '../../src/aws.ts'
import { runSuite, type Suite, testDestination, testSource } from '../../src/conformance/index.ts'
import { type BucketWriteMutation, bucketDestination } from './bucket-destination.ts'
import { type BucketMutation, bucketSource } from './bucket-source.ts'
import type { Mutant } from './mutants.ts'

const closing: (() => Promise<void>)[] = []
afterAll(async () => {
  for (const close of closing) await close()
})

/** Checks of the faults of AWS of a connector of a public bucket of its own. */
const suiteOf = async (mutation?: BucketMutation | BucketWriteMutation, writes = isOfWriter(mutation)) => {
  const aws = await startAws()
  closing.push(() => aws.close())
  aws.s3.createBucket({
    name: 'lake',
    policy: {
      Statement: {
        Effect: 'Allow',
        Principal: '*',
        Action: ['s3:GetObject', 's3:PutObject', 's3:ListBucket'],
        Resource: ['arn:aws:s3:::lake', 'arn:aws:s3:::lake/*'],
      },
    },
  })
  const options = { config: { url: `${aws.endpoint}/lake` }, aws, patienceMs: 5_000 }
  return ofFaults(writes ? writerOf(options, mutation) : await readerOf(options, mutation))
}

interface Options {
  readonly config: { readonly url: string }
  readonly aws: Aws
  readonly patienceMs: number
}

const readerOf = async (options: Options, mutation?: string): Promise<Suite> => {
  for (const key of ['a.csv', 'b.csv'])
    await options.aws.s3.putObject({ bucket: 'lake', key, body: `id\n${'1\n'.repeat(300)}` })
  return testSource(bucketSource(mutation as BucketMutation), options)
}

const writerOf = (options: Options, mutation?: string): Suite => {
  const { s3 } = options.aws
  return testDestination(bucketDestination(mutation as BucketWriteMutation), {
    ...options,
    clear: async () => {
      for (const key of s3.listKeys('lake')) s3.deleteObject('lake', key)
    },
    read: async (stream) => {
      const texts = s3
        .listKeys('lake', `${stream}/`)
        .map(async (key) => String(await s3.getObject('lake', key)))
      return (await Promise.all(texts)).flatMap((text) =>
        text
          .split('\n')
          .filter((line) => line !== '')
          .map((line) => JSON.parse(line) as Record<string, string>),
      )
    },
  })
}

const ofFaults = (suite: Suite): Suite => ({
  ...suite,
  checks: suite.checks.filter(({ id }) => id.startsWith('aws/')),
})

const failuresOf = async (suite: Suite) =>
  (await runSuite(suite)).results.filter(({ status }) => status === 'failed')

const mutants: readonly Mutant<BucketMutation | BucketWriteMutation>[] = [
  { mutation: 'slow-drip', caughtBy: 'aws/slow', also: ['aws/reset-body', 'aws/truncate-body'] },
  { mutation: 'slow-down', caughtBy: 'aws/slow-down' },
  { mutation: 'internal-error', caughtBy: 'aws/internal-error', also: ['aws/lost-answer'] },
  { mutation: 'expired-token', caughtBy: 'aws/refused' },
  // To who only reads, an answer that got lost is the same as one that never was: these have a writer of their own.
  { mutation: 'reset', caughtBy: 'aws/reset', also: ['aws/lost-connection'] },
  { mutation: 'reset-body', caughtBy: 'aws/reset-body' },
  { mutation: 'truncate-body', caughtBy: 'aws/truncate-body' },
  { mutation: 'corrupt-body', caughtBy: 'aws/corrupt-body' },
  { mutation: 'hang', caughtBy: 'aws/hang' },
  { mutation: 'change-object', caughtBy: 'aws/change-object', also: ['aws/corrupt-body'] },
  { mutation: 'doubles-after-500', caughtBy: 'aws/lost-answer' },
  { mutation: 'doubles-after-reset', caughtBy: 'aws/lost-connection' },
]

const isOfWriter = (mutation?: string): boolean => mutation?.startsWith('doubles-') ?? false

describe('faults of AWS', () => {
  it('are borne by a sound source, and by a sound destination', async () => {
    expect(await failuresOf(await suiteOf())).toEqual([])
    expect(await failuresOf(await suiteOf(undefined, true))).toEqual([])
  })

  it('each have a connector that does not bear them', async () => {
    const caught = new Set(mutants.map(({ caughtBy }) => caughtBy))
    expect((await suiteOf()).checks.map(({ id }) => id).filter((id) => !caught.has(id))).toEqual([])
  })

  it.concurrent.each([...mutants])('catch a connector that does not bear $mutation', async (mutant) => {
    const failed = (await failuresOf(await suiteOf(mutant.mutation))).map(({ id }) => id)
    expect(failed).toContain(mutant.caughtBy)
    expect(failed.filter((id) => id !== mutant.caughtBy && !mutant.also?.includes(id))).toEqual([])
  })
})
