import { describe, expect, it } from 'vitest'
import { failure, file, gzip, load, openBench, rows, texts, zstd } from './support.ts'

describe('CSV as it comes', () => {
  it.each<[string, (text: string) => Uint8Array, object]>([
    ['UTF-8', (text) => Buffer.from(text), {}],
    ['UTF-8 with a byte order mark', (text) => Buffer.from(`\ufeff${text}`), {}],
    ['UTF-16 LE with a byte order mark', (text) => Buffer.from(`\ufeff${text}`, 'utf16le'), {}],
    ['UTF-16 BE with a byte order mark', (text) => Buffer.from(`\ufeff${text}`, 'utf16le').swap16(), {}],
    ['UTF-16 that the user names', (text) => Buffer.from(text, 'utf16le'), { encoding: 'utf-16' }],
  ])('%s', async (_name, encode, format) => {
    const bench = await openBench()
    const text = 'id,näme\r\n1,"a ""quoted"" 🦆\r\nsecond line"\r\n2,Ω ß\r\n'
    const { types } = await load(bench.engine, [file(bench, 'a.csv', encode(text), { format })])
    expect(types).toEqual({ id: 'bigint', näme: 'text' })
    expect(await texts(bench.engine)).toEqual([
      ['1', 'a "quoted" 🦆\r\nsecond line'],
      ['2', 'Ω ß'],
    ])
  })

  it('Latin-1, when the user says so; otherwise its bytes are refused with their line', async () => {
    const bench = await openBench()
    const bytes = Buffer.from('id,name\n1,ok\n2,Müller\n', 'latin1')
    await load(bench.engine, [file(bench, 'a.csv', bytes, { format: { encoding: 'latin-1' } })])
    expect(await texts(bench.engine)).toEqual([
      ['1', 'ok'],
      ['2', 'Müller'],
    ])
    const error = await failure(load(bench.engine, [file(bench, 'b.csv', bytes)]))
    expect(error).toMatchObject({ kind: 'data', place: { object: 's3://bucket/b.csv', line: 3 } })
    expect(error.message).toMatch(/UTF-8/)
  })

  it('an empty field is null, a quoted empty one is an empty text, and null in other columns', async () => {
    const bench = await openBench()
    await load(bench.engine, [file(bench, 'a.csv', 'id,s,n\n1,,\n2,"",""\n3,x,5\n')])
    expect(await rows(bench.engine, "SELECT s IS NULL, s = '', n IS NULL FROM t ORDER BY rowid")).toEqual([
      [true, null, true],
      [false, true, true],
      [false, false, false],
    ])
  })

  it('null strings of the user', async () => {
    const bench = await openBench()
    const { types } = await load(bench.engine, [
      file(bench, 'a.csv', 'id,n\n1,NULL\n2,5\n3,\\N\n', { format: { nullStrings: ['NULL', '\\N', ''] } }),
    ])
    expect(types.n).toBe('bigint')
    expect(await texts(bench.engine)).toEqual([
      ['1', null],
      ['2', '5'],
      ['3', null],
    ])
  })

  it.each([
    [{ nullStrings: ['\\N'], escape: '\\' }, 'escape character'],
    [{ nullStrings: ['""'] }, 'quote'],
    [{ nullStrings: ['a,b'], delimiter: ',' }, 'delimiter'],
  ])('a null string that the reader can not tell is refused: %j', async (format, what) => {
    const bench = await openBench()
    const error = await failure(load(bench.engine, [file(bench, 'a.csv', 'id,n\n1,x\n', { format })]))
    expect(error).toMatchObject({ kind: 'config', code: 'CsvOptions' })
    expect(error.message).toContain(what)
  })

  it.each<[string, string, object]>([
    ['semicolons', 'a;b\n1;x,y\n2;z\n', {}],
    ['tabs', 'a\tb\n1\tx,y\n2\tz\n', {}],
    ['pipes', 'a|b\n1|x,y\n2|z\n', {}],
    ['a delimiter of the user', 'a~b\n1~x,y\n2~z\n', { delimiter: '~' }],
    ['a delimiter of several characters', 'a||b\n1||x,y\n2||z\n', { delimiter: '||' }],
    ['another quote', "a;b\n1;'x,y'\n2;z\n", { quote: "'" }],
    ['comments', '# made by x\na,b\n1,"x,y"\n# more\n2,z\n', { comment: '#' }],
    ['lines to skip', 'report\n\na,b\n1,"x,y"\n2,z\n', { skipLines: 2 }],
    ['blank lines before the header', '\n\na,b\n1,"x,y"\n2,z\n', {}],
    ['blank lines that end with CR LF before the header', '\r\n\r\na,b\r\n1,"x,y"\r\n2,z\r\n', {}],
    ['blank lines and comments before the header', '\n# x\n\n# y\na,b\n1,"x,y"\n2,z\n', { comment: '#' }],
    ['blank lines after those to skip', 'report\n\n\na,b\n1,"x,y"\n2,z\n', { skipLines: 1 }],
    [
      'comments among the lines to skip',
      'report\n# x\n\na,b\n1,"x,y"\n2,z\n',
      { comment: '#', skipLines: 2 },
    ],
    ['mixed line ends, when the user says so', 'a,b\r\n1,"x,y"\n2,z\r', { lineEnds: 'mixed' }],
    ['CR alone', 'a,b\r1,"x,y"\r2,z\r', {}],
    ['no line end at the end', 'a,b\n1,"x,y"\n2,z', {}],
    ['blank lines', 'a,b\n1,"x,y"\n\n2,z\n\n', {}],
  ])('%s', async (_name, content, format) => {
    const bench = await openBench()
    const { types } = await load(bench.engine, [file(bench, 'a.csv', content, { format })])
    expect(types).toEqual({ a: 'bigint', b: 'text' })
    expect(await texts(bench.engine)).toEqual([
      ['1', 'x,y'],
      ['2', 'z'],
    ])
  })

  it('a backslash as escape', async () => {
    const bench = await openBench()
    await load(bench.engine, [file(bench, 'a.csv', 'a,b\n1,"say \\"hi\\""\n', { format: { escape: '\\' } })])
    expect(await texts(bench.engine)).toEqual([['1', 'say "hi"']])
  })

  it('no header: by the first line, or by what the user says', async () => {
    const bench = await openBench()
    expect((await load(bench.engine, [file(bench, 'a.csv', '1,x\n2,y\n')])).rowsLoaded).toBe(2)
    const said = await load(bench.engine, [file(bench, 'b.csv', 'a,b\nc,d\n', { format: { header: false } })])
    expect(said.rowsLoaded).toBe(2)
    expect(Object.keys(said.types)).toHaveLength(2)
  })

  it('names: keywords, quotes, dots, blanks, unicode, doubles by case, empty ones', async () => {
    const bench = await openBench()
    const header = 'select,"a""b",x.y,"drop table t; --",数,Name,name,NAME,,'
    const { types } = await load(bench.engine, [file(bench, 'a.csv', `${header}\n1,2,3,4,5,6,7,8,9,10\n`)])
    const names = Object.keys(types)
    expect(names.slice(0, 6)).toEqual(['select', 'a"b', 'x.y', 'drop table t; --', '数', 'Name'])
    expect(new Set(names.map((name) => name.toLowerCase())).size).toBe(10)
    expect(names.slice(6, 8)).toEqual(['name_1', 'NAME_2'])
    expect(await texts(bench.engine)).toEqual([['1', '2', '3', '4', '5', '6', '7', '8', '9', '10']])
  })

  it.each(['select', 'a"b', 'schema.table', "it's; drop", '表'])('table named %s', async (table) => {
    const bench = await openBench()
    await load(bench.engine, [file(bench, 'a.csv', 'a\n1\n')], { table })
    expect(await bench.engine.tables()).toEqual([table])
  })

  it('a header of 100 kB', async () => {
    const bench = await openBench()
    const names = Array.from({ length: 500 }, (_, index) => `column_${index}_${'x'.repeat(200)}`)
    const content = `${names.join(',')}\n${names.map((_, index) => index).join(',')}\n`
    const { types } = await load(bench.engine, [file(bench, 'a.csv', content)])
    expect(Object.keys(types)).toEqual(names)
  })

  it('a value of several megabytes', async () => {
    const bench = await openBench()
    await load(bench.engine, [file(bench, 'a.csv', `a,b\n1,${'y'.repeat(5_000_000)}\n2,z\n`)])
    expect(await rows(bench.engine, 'SELECT length(b)::INTEGER FROM t ORDER BY rowid')).toEqual([
      [5_000_000],
      [1],
    ])
  })

  it.each<[string, (text: string) => Buffer]>([
    ['a.csv.gz', gzip],
    ['a.csv.zst', zstd],
  ])('compressed: %s', async (key, compress) => {
    const bench = await openBench()
    await load(bench.engine, [file(bench, key, compress('a,b\n1,x\n2,y\n'))])
    expect(await texts(bench.engine)).toEqual([
      ['1', 'x'],
      ['2', 'y'],
    ])
  })

  it('gzip of several members, as concatenation makes it', async () => {
    const bench = await openBench()
    await load(bench.engine, [file(bench, 'a.csv.gz', Buffer.concat([gzip('a,b\n1,x\n'), gzip('2,y\n')]))])
    expect(await texts(bench.engine)).toEqual([
      ['1', 'x'],
      ['2', 'y'],
    ])
  })

  it.each<[string, string | Uint8Array, RegExp]>([
    ['gzip named .csv', gzip('a,b\n1,2\n'), /gzip/],
    ['zstd named .csv', zstd('a,b\n1,2\n'), /zstd/],
    ['Parquet named .csv', Buffer.from('PAR1\0\0\0\0PAR1'), /parquet/i],
    ['an HTML page named .csv', '<!DOCTYPE html>\n<html><body>404</body></html>', /html/i],
  ])('%s is told as such', async (_name, content, message) => {
    const bench = await openBench()
    const error = await failure(load(bench.engine, [file(bench, 'odd.csv', content)]))
    expect(error).toMatchObject({ kind: 'data', place: { object: 's3://bucket/odd.csv' } })
    expect(error.message).toMatch(message)
  })

  it.each<[string, (good: Buffer) => Buffer]>([
    ['truncated', (good) => good.subarray(0, good.length - 40)],
    ['damaged', (good) => Buffer.concat([good.subarray(0, 60), Buffer.alloc(30, 7), good.subarray(90)])],
    ['no gzip at all', () => Buffer.from('a,b\n1,2\n')],
  ])('%s gzip names the object', async (_name, spoil) => {
    const bench = await openBench()
    const text = Array.from({ length: 2000 }, (_, index) => `${index},${Math.sin(index)}`).join('\n')
    const good = file(bench, 'good.csv.gz', gzip(`a,b\n${text}\n`))
    const error = await failure(
      load(bench.engine, [good, file(bench, 'bad.csv.gz', spoil(gzip(`a,b\n${text}\n`)))]),
    )
    expect(error).toMatchObject({ kind: 'data', place: { object: 's3://bucket/bad.csv.gz' } })
    expect(await bench.engine.tables()).toEqual([])
  })

  it('empty objects and header-only files have no rows; the header gives the columns', async () => {
    const bench = await openBench()
    const only = await load(bench.engine, [file(bench, 'empty.csv', ''), file(bench, 'head.csv', 'a,b\n')])
    expect(only).toMatchObject({ rowsRead: 0, rowsLoaded: 0, types: { a: 'text', b: 'text' } })
    const later = await load(bench.engine, [
      file(bench, 'head.csv', 'a,b\n'),
      file(bench, 'x.csv', 'a,b\n1,x\n'),
    ])
    expect(later).toMatchObject({ rowsLoaded: 1, types: { a: 'bigint', b: 'text' } })
    expect(await load(bench.engine, [])).toMatchObject({ rowsLoaded: 0 })
  })
})
