import { hostname } from 'node:os'
import { ConnectorError } from '@penstock/core'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { requireConditions } from '../src/state/lease.ts'
import { aRun, type Bench, bucket, failure, openBench } from './bench.ts'

let bench: Bench & AsyncDisposable
beforeAll(async () => {
  bench = await openBench()
})
afterAll(() => bench[Symbol.asyncDispose]())
afterEach(() => {
  for (const key of bench.aws.s3.listKeys(bucket)) bench.aws.s3.deleteObject(bucket, key)
})

const stateKey = '.penstock/nightly/state.json'
const state = async () => JSON.parse(await bench.body(stateKey))
const setLease = (lease: Record<string, unknown>) =>
  bench.aws.s3.putObject({
    bucket,
    key: stateKey,
    body: JSON.stringify({ version: 1, exportId: 'nightly', runs: [], lease }),
  })
const leaseOf = (change: Record<string, unknown> = {}) => ({
  attempt: '0b6f5a52-9a6c-4a8e-b1d4-0f3a1a2b3c4d',
  commitId: 'other',
  host: 'elsewhere',
  process: 4711,
  acquired: new Date().toISOString(),
  expires: new Date(Date.now() + 50_000).toISOString(),
  ...change,
})

describe('two runs at once', () => {
  it.each([['append'], ['overwrite']] as const)('one wins, the other says so: %s', async (mode) => {
    await bench.write({ run: { commitId: 'old', mode }, options: { fileName: 'old' } })
    let other: Promise<unknown> | undefined
    const winner = await bench.write({
      run: { commitId: 'winner', mode },
      options: { fileName: '{run_id}' },
      streams: [
        {
          files: ['1\n', '2\n'],
          before: async (index) => {
            if (index !== 1) return
            other = failure(
              bench.write({ run: { commitId: 'loser', mode }, options: { fileName: '{run_id}' } }),
            )
            expect(await other).toMatchObject({
              kind: 'conflict',
              code: 'ExportRunning',
              message: expect.stringMatching(/winner.*process \d+/),
              hint: expect.stringMatching(/Nothing was written.* \d+ seconds/),
            })
          },
        },
      ],
    })
    expect(other).toBeDefined()
    const kept = mode === 'append' ? ['old.csv'] : []
    expect(bench.keys()).toEqual([...kept, ...winner.files.map(({ name }) => name)])
  })

  it.each([[1], [2], [3], [4]])('started in the same moment: exactly one writes (%i)', async () => {
    const runs = await Promise.allSettled(
      ['a', 'b', 'c'].map((commitId) =>
        bench.write({ run: { commitId, mode: 'overwrite' }, options: { fileName: commitId } }),
      ),
    )
    // One that begins after another is through writes as well; nobody's files are mixed.
    expect(bench.keys()).toHaveLength(1)
    for (const run of runs)
      if (run.status === 'rejected') expect(run.reason).toMatchObject({ kind: 'conflict' })
    expect(runs.some(({ status }) => status === 'fulfilled')).toBe(true)
    expect((await state()).lease).toBeUndefined()
  })

  it('of different exports do not mind each other', async () => {
    await bench.write({
      streams: [
        {
          files: ['1\n'],
          before: async () =>
            void (await bench.write({ run: { exportId: 'weekly' }, options: { fileName: 'weekly' } })),
        },
      ],
      options: { fileName: 'nightly' },
    })
    expect(bench.keys()).toEqual(['nightly.csv', 'weekly.csv'])
  })
})

describe('a lease', () => {
  it('of somebody else holds until it expires', async () => {
    await setLease(leaseOf())
    expect(await failure(bench.write())).toMatchObject({ code: 'ExportRunning' })
    await setLease(leaseOf({ expires: new Date(Date.now() - 1).toISOString() }))
    await bench.write({ options: { fileName: 'second' } })
    expect(bench.keys()).toEqual(['second.csv'])
  })

  it('of a dead process of this machine holds no longer', async () => {
    let lease = { host: '' }
    await bench.write({
      streams: [
        {
          files: ['1\n'],
          before: async () => {
            lease = (await state()).lease
          },
        },
      ],
      options: { fileName: 'x' },
    })
    expect(lease.host).toContain(hostname())
    // No process has this number: Linux stops below it.
    await setLease(leaseOf({ host: lease.host, process: 2 ** 22 + 1 }))
    await bench.write({ options: { fileName: 'second' } })
    await setLease(leaseOf({ host: lease.host, process: process.ppid }))
    expect(await failure(bench.write())).toMatchObject({ code: 'ExportRunning' })
  })

  it('gives way to another try of the same run on another machine', async () => {
    await setLease(leaseOf())
    expect(await failure(bench.write({ run: { commitId: 'other' } }))).toMatchObject({
      code: 'ExportRunning',
    })
    await bench.write({ run: { commitId: 'other', retried: true }, options: { fileName: 'second' } })
    expect(bench.keys()).toContain('second.csv')
  })

  it.each([
    ['held', undefined],
    ['in parts', { file: -1, total: 0 }],
  ])('that was taken over stops the run, which keeps nothing: %s', async (_, hold) => {
    const error = await failure(
      bench.write({
        ...(hold ? { hold } : {}),
        run: { commitId: 'zombie' },
        options: { fileName: 'same' },
        streams: [
          {
            files: ['zombie\n', 'zombie\n'],
            before: async (index) => {
              if (index !== 1) return
              // The machine slept: another process finds the lease expired.
              const content = await state()
              content.lease.expires = new Date(0).toISOString()
              content.lease.host = 'elsewhere'
              await bench.aws.s3.putObject({ bucket, key: stateKey, body: JSON.stringify(content) })
              await bench.write({ run: { commitId: 'heir' }, options: { fileName: 'same' } })
            },
          },
        ],
      }),
    )
    expect(error).toMatchObject({ kind: 'conflict', code: 'LeaseLost' })
    expect(bench.keys()).toEqual(['same.csv'])
    expect(await bench.body('same.csv')).toBe('id\n1\n2\n')
    expect(bench.aws.s3.listUploads(bucket)).toEqual([])
    expect((await state()).runs).toMatchObject([{ commitId: 'heir' }])
    expect(bench.notes()).toHaveLength(2)
  })

  it('of a note that nobody understands is a clear error', async () => {
    await bench.aws.s3.putObject({ bucket, key: stateKey, body: '{"version":7}' })
    expect(await failure(bench.write({ run: aRun() }))).toMatchObject({ kind: 'data', code: 'InvalidState' })
  })
})

it('a store that writes in spite of a condition is refused', async () => {
  expect(await failure(requireConditions(async () => {}))).toMatchObject({
    kind: 'config',
    code: 'NoConditionalWrites',
  })
  const other = new ConnectorError('network', 'gone')
  expect(await failure(requireConditions(() => Promise.reject(other)))).toBe(other)
  await requireConditions(() => Promise.reject(new ConnectorError('conflict', 'taken')))
})
