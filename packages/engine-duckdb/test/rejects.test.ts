import { bigint } from '@penstock/core'
import { describe, expect, it } from 'vitest'
import { failure, file, gzip, load, openBench, rows, texts } from './support.ts'

const reject = { onBadRow: 'reject' } as const
const rejects = (bench: Awaited<ReturnType<typeof openBench>>) =>
  rows(
    bench.engine,
    'SELECT object, line::INTEGER, byte_offset::INTEGER, column_name, raw FROM t__rejects ORDER BY object, line',
  )

describe('rows that do not fit', () => {
  const content = [
    'id,note,n',
    '1,"two',
    'lines",5',
    '2,ok,x',
    '3,ok',
    '4,ok,6,7',
    '5,"a ""b""",7.5',
    '6,ok,8',
    '',
  ]
  const fixed = { columnTypes: { n: bigint } }

  it.each(['\n', '\r\n'])('fail with the exact physical line (line end %j)', async (end) => {
    const bench = await openBench()
    const lines = content.filter((line) => line !== '3,ok' && line !== '4,ok,6,7')
    const error = await failure(load(bench.engine, [file(bench, 'a.csv', lines.join(end))], fixed))
    expect(error).toMatchObject({
      kind: 'data',
      place: { object: 's3://bucket/a.csv', line: 4, column: 'n', value: 'x' },
      hint: expect.stringContaining('--on-bad-row reject'),
    })
    expect(error.message).toContain('a.csv')
    expect(await bench.engine.tables()).toEqual([])
  })

  it('too few and too many fields fail with their line', async () => {
    const bench = await openBench()
    for (const [bad, line] of [
      ['3,ok', 3],
      ['4,ok,6,7', 3],
    ] as const) {
      const error = await failure(
        load(bench.engine, [file(bench, 'a.csv', `id,note,n\n1,x,2\n${bad}\n5,x,6\n`)]),
      )
      expect(error).toMatchObject({ kind: 'data', place: { object: 's3://bucket/a.csv', line } })
    }
  })

  it.each(['\n', '\r\n'])(
    'or go to the reject table with line, byte offset and raw text (line end %j)',
    async (end) => {
      const bench = await openBench()
      const whole = content.join(end)
      const result = await load(bench.engine, [file(bench, 'a.csv', whole)], { ...fixed, ...reject })
      expect(result).toMatchObject({ rowsRead: 6, rowsLoaded: 2, rowsRejected: 4, rejectTable: 't__rejects' })
      expect(await texts(bench.engine)).toEqual([
        [`1`, `two${end}lines`, '5'],
        ['6', 'ok', '8'],
      ])
      const place = (text: string) => Buffer.byteLength(whole.slice(0, whole.indexOf(text)))
      expect(await rejects(bench)).toEqual([
        ['s3://bucket/a.csv', 4, place('2,ok,x'), 'n', '2,ok,x'],
        ['s3://bucket/a.csv', 5, place('3,ok'), null, '3,ok'],
        ['s3://bucket/a.csv', 6, place('4,ok,6,7'), null, '4,ok,6,7'],
        ['s3://bucket/a.csv', 7, place('5,"a'), 'n', '5,"a ""b""",7.5'],
      ])
    },
  )

  it('of later files are judged by the type of the first', async () => {
    const bench = await openBench()
    const files = ['6', 'x', '1.5'].map((value, index) =>
      file(bench, `${index}.csv`, `id,n\n1,5\n2,${value}\n`),
    )
    const result = await load(bench.engine, files, reject)
    expect(result).toMatchObject({ rowsRead: 6, rowsLoaded: 4, rowsRejected: 2, types: { n: 'bigint' } })
    expect((await rejects(bench)).map((row) => [row[0], row[1], row[3]])).toEqual([
      ['s3://bucket/1.csv', 3, 'n'],
      ['s3://bucket/2.csv', 3, 'n'],
    ])
  })

  it('many in many files: nothing is lost, nothing is doubled', async () => {
    const bench = await openBench()
    const files = Array.from({ length: 30 }, (_, n) => {
      const lines = Array.from({ length: 3_000 }, (_, row) =>
        row % 10 === n % 10 ? `${row},bad${row}` : `${row},${row}`,
      )
      return file(bench, `${String(n).padStart(2, '0')}.csv.gz`, gzip(`id,n\n${lines.join('\n')}\n`))
    })
    const result = await load(bench.engine, files, { ...fixed, ...reject })
    expect(result).toMatchObject({ rowsRead: 90_000, rowsLoaded: 81_000, rowsRejected: 9_000 })
    const places = await rows(
      bench.engine,
      "SELECT count(*)::INTEGER, count(DISTINCT (object, line))::INTEGER, bool_and(raw = (line - 2) || ',bad' || (line - 2)) FROM t__rejects",
    )
    expect(places).toEqual([[9_000, 9_000, true]])
  })

  it('a quote that does not end takes no other record along', async () => {
    const bench = await openBench()
    const lines = ['id,s', '1,a', '2,"never ends', ...Array.from({ length: 50 }, (_, n) => `${n + 3},x`)]
    const error = await failure(load(bench.engine, [file(bench, 'a.csv', lines.join('\n'))]))
    expect(error).toMatchObject({ kind: 'data', place: { object: 's3://bucket/a.csv', line: 3 } })
  })

  it('invalid UTF-8 in the middle', async () => {
    const bench = await openBench()
    const bytes = Buffer.concat([
      Buffer.from('id,s\n1,a\n2,'),
      Buffer.from([0xff, 0xfe, 0xc3]),
      Buffer.from('\n3,c\n'),
    ])
    const result = await load(bench.engine, [file(bench, 'a.csv', bytes)], reject)
    expect(result).toMatchObject({ rowsRead: 3, rowsLoaded: 2, rowsRejected: 1 })
    expect((await rejects(bench))[0]?.slice(0, 3)).toEqual(['s3://bucket/a.csv', 3, 9])
  })

  it.each<[string, object, boolean]>([
    ['a count that is kept', { count: 2 }, true],
    ['a count that is exceeded', { count: 1 }, false],
    ['a share that is kept', { share: 0.5 }, true],
    ['a share that is exceeded', { share: 0.4 }, false],
  ])('budget: %s', async (_name, maxRejects, isFine) => {
    const bench = await openBench()
    const loading = load(bench.engine, [file(bench, 'a.csv', 'id,n\n1,x\n2,5\n3,y\n4,6\n')], {
      ...fixed,
      ...reject,
      maxRejects: maxRejects as { count: number },
    })
    if (isFine) expect(await loading).toMatchObject({ rowsLoaded: 2, rowsRejected: 2 })
    else {
      expect(await failure(loading)).toMatchObject({ kind: 'data' })
      expect(await bench.engine.tables()).toEqual([])
    }
  })

  it('further runs add to the same reject table', async () => {
    const bench = await openBench()
    await load(bench.engine, [file(bench, '1.csv', 'id,n\n1,x\n2,5\n')], { ...fixed, ...reject })
    await load(bench.engine, [file(bench, '2.csv', 'id,n\n3,y\n4,5\n')], { ...reject, mode: 'delta' })
    expect((await rejects(bench)).map((row) => row[0])).toEqual(['s3://bucket/1.csv', 's3://bucket/2.csv'])
    expect(await rows(bench.engine, 'SELECT count(DISTINCT run_id)::INTEGER FROM t__rejects')).toEqual([[2]])
  })

  it('more of them than are held in memory, parsed and unparsed in turn, each with its own line', async () => {
    const bench = await openBench()
    const lines = Array.from({ length: 9_000 }, (_, row) =>
      row % 3 ? `${row},1` : row % 2 ? `x${row},1` : `${row}`,
    )
    const result = await load(bench.engine, [file(bench, 'a.csv', `id,n\n${lines.join('\n')}\n`)], {
      ...reject,
      columnTypes: { id: bigint },
    })
    expect(result).toMatchObject({ rowsRead: 9_000, rowsLoaded: 6_000, rowsRejected: 3_000 })
    const places = await rows(bench.engine, 'SELECT line::INTEGER, raw FROM t__rejects ORDER BY line')
    expect(places).toEqual(lines.flatMap((raw, row) => (row % 3 ? [] : [[row + 2, raw]])))
  })

  it('has its line after doubled quotes and line ends in one value', async () => {
    const bench = await openBench()
    const content = 'id,t\n1,"a ""b\nc"" ""\n"\nx,y\n'
    await load(bench.engine, [file(bench, 'a.csv', content)], { ...reject, columnTypes: { id: bigint } })
    expect(await rows(bench.engine, 'SELECT line::INTEGER, raw FROM t__rejects')).toEqual([[5, 'x,y']])
  })
})
