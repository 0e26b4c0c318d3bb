import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { accessOf } from '../src/access.ts'
import type { S3Context } from '../src/config.ts'
import { aRun, type Bench, bucket, failure, openBench } from './bench.ts'

let bench: Bench & AsyncDisposable
beforeAll(async () => {
  bench = await openBench()
})
afterAll(() => bench[Symbol.asyncDispose]())
afterEach(() => {
  bench.aws.faults.clear()
  for (const key of bench.aws.s3.listKeys(bucket)) bench.aws.s3.deleteObject(bucket, key)
  expect(bench.aws.s3.listUploads(bucket)).toEqual([])
  expect(bench.unreleased.size).toBe(0)
})

/** Nothing waits in memory: each file is an upload in parts. */
const inParts = { file: -1, total: 0 }

describe.each([
  ['one request a file', undefined],
  ['in parts', inParts],
])('write, %s', (_, hold) => {
  const limits = hold ? { hold } : {}

  it('writes the files of all streams, and tells what it wrote', async () => {
    const progress: unknown[] = []
    const result = await bench.write({
      ...limits,
      streams: [{ files: ['id\n1\n2\n', 'id\n3\n'] }, { name: 'crm/customers', files: ['id\n9\n'] }],
      options: { folder: 'out/{year}', fileName: '{stream_name}' },
      onProgress: (event) => progress.push(event),
    })
    expect(bench.keys()).toEqual([
      'out/2025/crm_customers.csv',
      'out/2025/orders.csv',
      'out/2025/orders_2.csv',
    ])
    expect(await bench.body('out/2025/orders.csv')).toBe('id\n1\n2\n')
    expect(result.files.map(({ stream, name, rows, size }) => [stream, name, rows, size])).toEqual([
      ['orders', 'out/2025/orders.csv', 3, 7],
      ['orders', 'out/2025/orders_2.csv', 2, 5],
      ['crm/customers', 'out/2025/crm_customers.csv', 2, 5],
    ])
    expect(result.files[0]).toMatchObject({
      url: `s3://${bucket}/out/2025/orders.csv`,
      checksum: expect.stringMatching(/^CRC64NVME:.{12}$/),
      etag: expect.any(String),
    })
    expect(progress.at(-1)).toMatchObject({ files: 1, rows: 2 })
    expect(bench.notes()).toHaveLength(2)
  })

  it('once with the same commit id, also when it is written again', async () => {
    const run = aRun()
    const first = await bench.write({ ...limits, run })
    bench.aws.log.clear()
    const second = await bench.write({ ...limits, run: { ...run, retried: true } })
    expect(second).toMatchObject({ files: first.files, alreadyWritten: true })
    expect(bench.keys()).toHaveLength(1)
    const writes = bench.aws.log
      .entries()
      .filter(({ method, key }) => method !== 'GET' && method !== 'HEAD' && !key?.includes('.penstock'))
    expect(writes).toEqual([])
  })

  it('adds with append, and never over what is there', async () => {
    const named = { ...limits, options: { fileName: 'daily' } }
    await bench.write(named)
    const error = await failure(bench.write({ ...named, streams: [{ files: ['other\n'] }] }))
    expect(error).toMatchObject({
      kind: 'conflict',
      code: 'KeyTaken',
      hint: expect.stringContaining('{run_id}'),
    })
    expect(error.message).toContain('An earlier run of this export')
    expect(await bench.body('daily.csv')).toBe('id\n1\n2\n')
    await bench.write({ ...limits, options: { fileName: 'daily_{run_id}' } })
    expect(bench.keys()).toHaveLength(2)
  })

  it("overwrites what it wrote itself, and nobody else's objects", async () => {
    await bench.aws.s3.putObject({ bucket, key: 'out/theirs.csv', body: 'theirs' })
    const out = (run: Partial<ReturnType<typeof aRun>>, files: string[]) =>
      bench.write({
        ...limits,
        run: { mode: 'overwrite', ...run },
        streams: [{ files }],
        options: { folder: 'out', fileName: '{run_id}', manifest: true },
      })
    await out({ commitId: 'one', mode: 'append' }, ['1\n', '2\n'])
    await out({ commitId: 'two', mode: 'append' }, ['3\n'])
    expect(bench.keys()).toEqual([
      'out/manifest-nightly-one.json',
      'out/manifest-nightly-two.json',
      'out/one.csv',
      'out/one_2.csv',
      'out/theirs.csv',
      'out/two.csv',
    ])
    const result = await out({ commitId: 'three' }, ['4\n'])
    expect(result.removed).toEqual([
      'out/manifest-nightly-one.json',
      'out/manifest-nightly-two.json',
      'out/one.csv',
      'out/one_2.csv',
      'out/two.csv',
    ])
    expect(bench.keys()).toEqual(['out/manifest-nightly-three.json', 'out/theirs.csv', 'out/three.csv'])
    expect(await bench.body('out/theirs.csv')).toBe('theirs')
    expect(bench.notes()).toHaveLength(2)
  })

  it('overwrites names that stay the same, and removes those that are no longer written', async () => {
    const out = (files: string[]) =>
      bench.write({
        ...limits,
        run: { mode: 'overwrite' },
        streams: [{ files }],
        options: { fileName: 'daily' },
      })
    await out(['1\n', '2\n', '3\n'])
    const second = await out(['4\n'])
    expect(second.removed).toEqual(['daily_2.csv', 'daily_3.csv'])
    expect(bench.keys()).toEqual(['daily.csv'])
    expect(await bench.body('daily.csv')).toBe('4\n')
    // What somebody else has put in its place is theirs by now.
    await bench.aws.s3.putObject({ bucket, key: 'daily.csv', body: 'theirs' })
    expect(await failure(out(['5\n']))).toMatchObject({ kind: 'conflict', code: 'KeyTaken' })
    expect(await bench.body('daily.csv')).toBe('theirs')
  })

  it('keeps what somebody else has put in the place of a former file', async () => {
    const out = (fileName: string) =>
      bench.write({ ...limits, run: { mode: 'overwrite' }, options: { fileName } })
    await out('one')
    await bench.aws.s3.putObject({ bucket, key: 'one.csv', body: 'theirs' })
    expect((await out('two')).removed).toEqual([])
    expect(bench.keys()).toEqual(['one.csv', 'two.csv'])
    expect(bench.notices.at(-1)).toContain('one.csv was replaced by somebody else')
  })

  it('refuses two files of one name before any is visible', async () => {
    const error = await failure(
      bench.write({
        ...limits,
        streams: [{ files: ['1\n'] }, { files: ['2\n'] }],
        options: { fileName: 'same' },
      }),
    )
    expect(error).toMatchObject({ kind: 'config', code: 'KeyCollision' })
    expect(error.message).toMatch(/part 1 of orders and part 1 of orders2/)
    expect(bench.keys()).toEqual([])
  })

  it('writes partitions as folders', async () => {
    await bench.write({
      ...limits,
      streams: [
        {
          files: [
            { body: '1\n', part: 1, partition: { day: '2025-01-01', who: 'a/b=c' } },
            { body: '2\n', part: 2, partition: { day: '2025-01-01', who: 'a/b=c' } },
            { body: '3\n', part: 1, partition: { day: null, who: '' } },
          ],
        },
      ],
      options: { fileName: 'x', folder: 'out', partitionBy: ['day', 'who'] },
    })
    expect(bench.keys()).toEqual([
      'out/day=2025-01-01/who=a%2Fb%3Dc/x.csv',
      'out/day=2025-01-01/who=a%2Fb%3Dc/x_2.csv',
      'out/day=__HIVE_DEFAULT_PARTITION__/who=/x.csv',
    ])
  })

  it('of nothing is no error', async () => {
    const result = await bench.write({
      ...limits,
      run: { mode: 'overwrite' },
      streams: [{ files: [] }],
      options: { manifest: true },
    })
    expect(result.files).toEqual([])
    expect(bench.keys()).toHaveLength(1)
  })

  it('lists in the manifest what is in the bucket', async () => {
    const scheduledTime = new Date('2023-08-18T01:00:00Z')
    const { manifest = '' } = await bench.write({
      ...limits,
      run: { commitId: 'run-1', scheduledTime },
      fields: { prefix: 'partner', destinationId: 'd/42' },
      streams: [{ files: ['id\n1\n2\n', 'id\n3\n'] }],
      options: { manifest: true, folder: 'a/b', fileName: '{stream_name}' },
    })
    expect(manifest).toBe('partner/a/b/manifest-d_42-run-1.json')
    const content = JSON.parse(await bench.body(manifest))
    expect(content).toMatchObject({ flowRunId: 'run-1', scheduledTime: '2023-08-18T01:00:00Z' })
    expect(content.exportResults.map((entry: { sinkPath: string }) => entry.sinkPath)).toEqual([
      'partner/a/b/orders.csv',
      'partner/a/b/orders_2.csv',
    ])
    for (const entry of content.exportResults) {
      const head = await bench.use((context) => headOf(context, entry.sinkPath))
      expect(entry).toMatchObject({
        name: entry.sinkPath.split('/').at(-1),
        size: (await bench.body(entry.sinkPath)).length,
        rows: (await bench.body(entry.sinkPath)).split('\n').length - 1,
        etag: head.entry.version,
        checksum: head.checksum,
        schema: [{ name: 'id', type: 'text' }],
      })
    }
  })

  it('leaves nothing when it is cancelled, and old files stay', async () => {
    await bench.write({ ...limits, run: { mode: 'overwrite' }, options: { fileName: 'old' } })
    const cancel = new AbortController()
    const error = await failure(
      bench.write({
        ...limits,
        run: { mode: 'overwrite' },
        signal: cancel.signal,
        streams: [
          {
            files: ['1\n', '2\n', '3\n'],
            before: (index) => {
              if (index === 2) cancel.abort()
            },
          },
        ],
      }),
    )
    expect(error.kind).toBe('cancelled')
    expect(bench.keys()).toEqual(['old.csv'])
    expect(bench.notes()).toHaveLength(2)
    await bench.write({ ...limits, options: { fileName: 'new' } })
  })

  it('leaves nothing when the engine fails', async () => {
    const error = await failure(
      bench.write({
        ...limits,
        streams: [
          {
            files: ['1\n', '2\n'],
            before: (index) => {
              if (index === 1)
                throw Object.assign(new Error('disk'), {
                  kind: 'resource',
                  [Symbol.for('penstock.ConnectorError')]: true,
                })
            },
          },
        ],
      }),
    )
    expect(error.kind).toBe('resource')
    expect(bench.aws.s3.listKeys(bucket)).toHaveLength(1)
  })
})

const headOf = (context: S3Context, key: string) => accessOf(context).head(key, { checksum: true })
