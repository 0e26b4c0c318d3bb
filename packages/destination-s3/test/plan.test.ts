import { bigint, type TableSchema, text } from '@penstock/core'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type Bench, bucket, failure, openBench } from './bench.ts'

let bench: Bench & AsyncDisposable
beforeAll(async () => {
  bench = await openBench()
})
afterAll(() => bench[Symbol.asyncDispose]())
afterEach(() => {
  for (const key of bench.aws.s3.listKeys(bucket)) bench.aws.s3.deleteObject(bucket, key)
})

const schema: TableSchema = {
  columns: [
    { name: 'id', type: bigint, nullable: false },
    { name: 'day', type: { type: 'date' }, nullable: false },
    { name: 'name', type: text, nullable: true },
  ],
}
const stream = (name: string) => ({ name, files: [], schema })

describe('plan', () => {
  it('names the files of each stream with their rows, and writes nothing', async () => {
    const plan = await bench.plan({
      rows: 25,
      streams: [stream('a'), stream('b')],
      options: { fileName: '{stream_name}_{run_id}', maxRows: 10, manifest: true },
      run: { commitId: 'r' },
    })
    expect(plan.files).toEqual([
      { stream: 'a', name: 'a_r.csv', rows: 10 },
      { stream: 'a', name: 'a_r_2.csv', rows: 10 },
      { stream: 'a', name: 'a_r_3.csv', rows: 5 },
      { stream: 'b', name: 'b_r.csv', rows: 10 },
      { stream: 'b', name: 'b_r_2.csv', rows: 10 },
      { stream: 'b', name: 'b_r_3.csv', rows: 5 },
    ])
    expect(plan).toMatchObject({ manifest: 'manifest-nightly-r.json', removes: [], warnings: [] })
    expect(bench.aws.s3.listKeys(bucket)).toEqual([])
  })

  it('tells what an overwrite would remove, just as the run then does', async () => {
    const request = (commitId: string, files: string[]) => ({
      run: { commitId, mode: 'overwrite' as const },
      options: { fileName: '{run_id}', manifest: true },
      streams: [{ files }],
    })
    await bench.write(request('one', ['1\n', '2\n']))
    await bench.aws.s3.putObject({ bucket, key: 'theirs.csv', body: 'x' })
    const { removes } = await bench.plan(request('two', ['3\n']))
    expect(removes.toSorted()).toEqual(['manifest-nightly-one.json', 'one.csv', 'one_2.csv'])
    expect((await bench.write(request('two', ['3\n']))).removed).toEqual(removes.toSorted())
  })

  it('warns of a null and an empty text that become one, where it was chosen so; the run says it too', async () => {
    const options = { fileName: '{run_id}', quoteAll: true, nullValue: '""', emptyValue: '""' }
    expect((await bench.plan({ options })).warnings).toEqual([expect.stringMatching(/written alike/)])
    bench.notices.length = 0
    await bench.write({ options })
    expect(bench.notices).toEqual([expect.stringMatching(/written alike/)])
    expect((await bench.plan({ options: { fileName: '{run_id}' } })).warnings).toEqual([])
  })

  it('refuses a column whose name the header can not hold', async () => {
    const streams = [{ files: [], schema: { columns: [{ name: 'a;b', type: text, nullable: true }] } }]
    const options = { quote: 'none' as const, delimiter: ';' }
    expect(await failure(bench.checkOptions({ streams, options }))).toMatchObject({
      kind: 'config',
      place: { column: 'a;b' },
    })
    await bench.checkOptions({ streams, options: { ...options, header: false } })
  })

  it('warns of names that stay the same, and of objects in the way', async () => {
    const named = { options: { fileName: 'daily' } }
    expect((await bench.plan({ ...named, run: { mode: 'overwrite' } })).warnings).toEqual([
      expect.stringMatching(/each export overwrites/),
    ])
    await bench.aws.s3.putObject({ bucket, key: 'daily.csv', body: 'x' })
    expect((await bench.plan(named)).warnings).toEqual([
      expect.stringMatching(/next export will find its names taken/),
      expect.stringMatching(/daily\.csv.*would be refused/),
    ])
  })

  it('shows partitions as places', async () => {
    const plan = await bench.plan({
      streams: [stream('a')],
      options: { folder: 'out', fileName: 'x_{run_id}', partitionBy: ['day', 'name'] },
      run: { commitId: 'r' },
    })
    expect(plan.files).toEqual([{ stream: 'a', name: 'out/day=*/name=*/x_r.csv' }])
  })

  it('of no rows is one file or none', async () => {
    expect((await bench.plan({ rows: 0 })).files).toHaveLength(1)
    expect((await bench.plan({ rows: 0, options: { empty: 'nothing' } })).files).toEqual([])
  })
})

describe('options that can not work are refused before the run', () => {
  it.each<[string, Parameters<Bench['checkOptions']>[0], string]>([
    [
      'two streams of one name',
      { streams: [stream('a'), stream('b')], options: { fileName: 'same' } },
      'KeyCollision',
    ],
    [
      'a part of one stream and another stream',
      {
        rows: 20,
        streams: [stream('a'), stream('a_2')],
        options: { fileName: '{stream_name}', maxRows: 10 },
      },
      'KeyCollision',
    ],
    [
      'parts without a stream in the name',
      { streams: [stream('a'), stream('b')], options: { keyTemplate: 'x/{part}' } },
      'KeyCollision',
    ],
    [
      'names that become the same',
      { streams: [stream('a/b'), stream('a b')], options: { fileName: '{stream_name}' } },
      'KeyCollision',
    ],
    ['a cursor macro without a cursor', { options: { fileName: '{cursor_day}' } }, 'InvalidKeyTemplate'],
    [
      'a cursor macro for a cursor of numbers',
      {
        options: { fileName: '{cursor_day}' },
        streams: [{ ...stream('a'), cursor: { column: 'id', to: '5' } }],
      },
      'InvalidKeyTemplate',
    ],
    ['a column that is not there', { options: { partitionBy: ['nope'] } }, 'NoSuchColumn'],
    [
      'all columns as partitions',
      { streams: [stream('a')], options: { partitionBy: ['id', 'day', 'name'] } },
      'NoColumnsLeft',
    ],
    [
      'a key that is too long',
      {
        fields: { prefix: Array.from({ length: 4 }, () => 'x'.repeat(250)).join('/') },
        options: { fileName: 'y'.repeat(100) },
      },
      'KeyTooLong',
    ],
    ['a public key that is none', { options: { publicKey: 'nonsense!' } }, 'InvalidPublicKey'],
  ])('%s', async (_, request, code) => {
    expect(await failure(bench.checkOptions(request))).toMatchObject({ kind: 'config', code })
  })

  it('streams that could collide only with more rows than there are pass', async () => {
    await bench.checkOptions({
      rows: 5,
      streams: [stream('a'), stream('a_2')],
      options: { fileName: '{stream_name}', maxRows: 10 },
    })
  })

  it.each([
    ['2025-04-14 11:23:45.678', '2025_04_14_11_23_45'],
    ['2025-04-14 11:23:45+02', '2025_04_14_09_23_45'],
    ['2025-04-14T11:23:45Z', '2025_04_14_11_23_45'],
    ['2025-04-14', '2025_04_14_00_00_00'],
    [undefined, '2025_04_14_11_23_45'],
  ])('the cursor %s is %s in names', async (to, name) => {
    const cursor = { column: 'day', ...(to === undefined ? {} : { to }) }
    const plan = await bench.plan({
      streams: [{ ...stream('a'), cursor }],
      options: { fileName: '{cursor_date_time}' },
    })
    expect(plan.files[0]?.name).toBe(`${name}.csv`)
  })
})
