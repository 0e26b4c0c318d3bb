import { afterAll, describe, expect, it } from 'vitest'
import { startAws } from '../../src/aws.ts'
import { runSuite, type Suite, testSource } from '../../src/conformance/index.ts'
import { type BucketMutation, bucketSource } from './bucket-source.ts'
import type { Mutant } from './mutants.ts'

const closing: (() => Promise<void>)[] = []
afterAll(async () => {
  for (const close of closing) await close()
})

/** Checks of the faults of AWS of a source of a public bucket of its own. */
const suiteOf = async (mutation?: BucketMutation): Promise<Suite> => {
  const aws = await startAws()
  closing.push(() => aws.close())
  aws.s3.createBucket({
    name: 'lake',
    policy: {
      Statement: {
        Effect: 'Allow',
        Principal: '*',
        Action: ['s3:GetObject', 's3:ListBucket'],
        Resource: ['arn:aws:s3:::lake', 'arn:aws:s3:::lake/*'],
      },
    },
  })
  for (const key of ['a.csv', 'b.csv'])
    await aws.s3.putObject({ bucket: 'lake', key, body: `id\n${'1\n'.repeat(300)}` })
  const config = { url: `${aws.endpoint}/lake` }
  const suite = testSource(bucketSource(mutation), { config, aws, patienceMs: 5_000 })
  return { ...suite, checks: suite.checks.filter(({ id }) => id.startsWith('aws/')) }
}

const failuresOf = async (suite: Suite) =>
  (await runSuite(suite)).results.filter(({ status }) => status === 'failed')

const mutants: readonly Mutant<BucketMutation>[] = [
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
]

describe('faults of AWS', () => {
  it('are borne by a sound source', async () => {
    expect(await failuresOf(await suiteOf())).toEqual([])
  })

  it('each have a source that does not bear them', async () => {
    const caught = new Set(mutants.flatMap(({ caughtBy, also = [] }) => [caughtBy, ...also]))
    expect((await suiteOf()).checks.map(({ id }) => id).filter((id) => !caught.has(id))).toEqual([])
  })

  it.concurrent.each([...mutants])('catch a source that does not bear $mutation', async (mutant) => {
    const failed = (await failuresOf(await suiteOf(mutant.mutation))).map(({ id }) => id)
    expect(failed).toContain(mutant.caughtBy)
    expect(failed.filter((id) => id !== mutant.caughtBy && !mutant.also?.includes(id))).toEqual([])
  })
})
