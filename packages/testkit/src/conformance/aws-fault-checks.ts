import { ConnectorError } from '@penstock/core'
import type { Fault } from '../faults/faults.ts'
import { requireHelpful } from './connection-checks.ts'
import { endsWhenCancelled, fail, unordered, within } from './expectations.ts'
import type { Exercise } from './fault-checks.ts'
import { type ConformanceOptions, configAt, defaultPatienceMs } from './options.ts'
import type { Check } from './suite.ts'

type Aws = NonNullable<ConformanceOptions['aws']>

/** Every fault of the embedded AWS; `harmless`: the result has to be the same, however long it lasts. */
const groups: readonly {
  readonly name: string
  readonly faults: readonly Fault[]
  readonly harmless?: true
}[] = [
  {
    name: 'slow',
    faults: [
      { kind: 'latency', ms: 30 },
      { kind: 'slow-drip', chunkBytes: 200, intervalMs: 1 },
    ],
    harmless: true,
  },
  { name: 'slow-down', faults: [{ kind: 'slow-down' }] },
  { name: 'internal-error', faults: [{ kind: 'internal-error' }] },
  { name: 'lost-answer', faults: [{ kind: 'internal-error', handled: true }] },
  { name: 'refused', faults: [{ kind: 'expired-token' }, { kind: 'clock-skew', ms: 20 * 60_000 }] },
  { name: 'reset', faults: [{ kind: 'reset' }] },
  { name: 'lost-connection', faults: [{ kind: 'reset', handled: true }] },
  { name: 'reset-body', faults: [{ kind: 'reset-body', afterBytes: 1 }] },
  { name: 'truncate-body', faults: [{ kind: 'truncate-body', afterBytes: 1 }] },
  { name: 'corrupt-body', faults: [{ kind: 'corrupt-body', atByte: 2 }] },
]

/**
 * Faults of AWS, each once at the first, a middle and the last request, then lasting: the right result, or an error
 * that says so. None for a connector that does not speak to AWS (`aws`).
 */
export const awsFaultChecks = (options: ConformanceOptions, exercise: Exercise): Check[] => {
  const { aws } = options
  if (!aws) return []
  const patience = options.patienceMs ?? defaultPatienceMs
  const use = (signal: AbortSignal) => exercise(configAt(options), signal)
  const outcome = async (signal: AbortSignal): Promise<string | ConnectorError> => {
    try {
      return unordered(await within(patience, 'The connector', use(signal)))
    } catch (error) {
      if (ConnectorError.isInstance(error)) return error
      throw error
    }
  }
  let sound: Promise<{ readonly result: string; readonly requests: number }> | undefined
  const soundUse = (signal: AbortSignal) => {
    sound ??= (async () => {
      const before = aws.log.entries().length
      const result = unordered(await use(signal))
      return { result, requests: aws.log.entries().length - before }
    })()
    return sound
  }

  return [
    ...groups.map(
      ({ name, faults, harmless }): Check => ({
        id: `aws/${name}`,
        title: harmless
          ? `While AWS is ${name}, the result is the same`
          : `The fault ${name} of AWS, once or lasting, never passes off a part as the whole`,
        run: async ({ signal }) => {
          const { result, requests } = await soundUse(signal)
          const places = new Set([0, Math.floor(requests / 2), Math.max(requests - 1, 0)])
          for (const fault of faults) {
            const require = (found: string | ConnectorError, when: string) => {
              if (found === result) return
              const told = `With the fault ${fault.kind} ${when}`
              if (typeof found === 'string') fail(`${told}, the result is another.`)
              else if (harmless) fail(`${told}, it fails: ${found.message}`)
              else requireHelpful(found, told)
            }
            for (const skip of places)
              await withFault(aws, { fault, skip, times: 1 }, async () =>
                require(await outcome(signal), `at request ${skip + 1}`),
              )
            await withFault(aws, { fault }, async () => require(await outcome(signal), 'all the time'))
          }
        },
      }),
    ),
    {
      id: 'aws/hang',
      title: 'While AWS does not answer, it ends within a second after it was cancelled',
      run: () =>
        withFault(aws, { fault: { kind: 'hang' } }, () => endsWhenCancelled('It', (signal) => use(signal))),
    },
    {
      id: 'aws/change-object',
      title:
        'An object that is overwritten meanwhile gives its old bytes, its new ones or an error, never a mix',
      run: async ({ signal }) => {
        for (const skip of [0, 1]) {
          const before = unordered(await use(signal))
          const restore = await keepObjects(aws)
          const rule = { fault: reversed, when: { operation: 'GetObject' }, skip, times: 1 }
          try {
            const found = await withFault(aws, rule, () => outcome(signal))
            if (typeof found !== 'string') requireHelpful(found, 'An object that was overwritten')
            else if (found !== before && found !== unordered(await use(signal)))
              fail('The result is neither that of before nor that of after.')
          } finally {
            await restore()
          }
        }
      },
    },
  ]
}

const reversed: Fault = { kind: 'change-object', mutate: (body) => Buffer.from(body).reverse() }

/** Keeps the bytes of all objects, and gives what puts them back where they have changed. */
const keepObjects = async ({ s3 }: Aws): Promise<() => Promise<void>> => {
  const kept: { bucket: string; key: string; body: Buffer }[] = []
  for (const bucket of s3.bucketNames())
    for (const key of s3.listKeys(bucket)) kept.push({ bucket, key, body: await s3.getObject(bucket, key) })
  return async () => {
    for (const object of kept) {
      const isThere = s3.listKeys(object.bucket, object.key).includes(object.key)
      if (isThere && !(await s3.getObject(object.bucket, object.key)).equals(object.body))
        await s3.putObject(object)
    }
  }
}

const withFault = async <Result>(
  aws: Aws,
  rule: Parameters<Aws['faults']['add']>[0],
  use: () => Promise<Result>,
): Promise<Result> => {
  const remove = aws.faults.add(rule)
  try {
    return await use()
  } finally {
    remove()
  }
}
