import { bigint } from '@penstock/core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { failure, file, gzip, load, openBench, rows, texts } from './support.ts'

const mixed = { lineEnds: 'mixed' } as const

it.each([
  ['CR', 'LF', '"x\ry",1\n2,3\n"4\r","5\n"\n'],
  ['CR LF', 'LF', '"x\r\ny",1\n2,3\n'],
  ['LF', 'CR LF', '"x\ny",1\r\n2,3\r\n'],
  ['CR', 'LF, in a header', '"a\rb",c\nx,1\n2,3\n'],
])('a first record with %s in quotes does not hide that records end with %s', async (_found, _end, text) => {
  const bench = await openBench()
  const header = text.includes('c\n')
  await load(bench.engine, [file(bench, 'a.csv', text, { format: { header } })])
  const [first, second] = await texts(bench.engine)
  expect(first).toEqual(header ? ['x', '1'] : [text.slice(1, text.indexOf('"', 1)), '1'])
  expect(second).toEqual(['2', '3'])
})

describe('a file whose lines end in several ways', () => {
  it.each<[string, string, object]>([
    ['CR LF, then LF', 'a,b\r\n1,x\r\n2,"y\nz"\r\n3,q\n4,r\n', { line: 5, ends: 'LF', first: 'CR LF' }],
    ['LF, then CR LF', 'a,b\n1,x\n2,"y\r\nz"\n3,q\r\n4,r\n', { line: 5, ends: 'CR LF', first: 'LF' }],
    ['LF, then CR', 'a,b\n1,x\n2,y\r3,z\n', { line: 3, ends: 'CR', first: 'LF' }],
  ])('fails with its line, or loads when they are said to be mixed: %s', async (_name, content, found) => {
    const bench = await openBench()
    const good = file(bench, 'good.csv', 'a,b\n9,w\n')
    for (const bytes of [content, gzip(content)]) {
      const name = typeof bytes === 'string' ? 'mixed.csv' : 'mixed.csv.gz'
      const error = await failure(load(bench.engine, [good, file(bench, name, bytes)]))
      const { line, ends, first } = found as { line: number; ends: string; first: string }
      expect(error).toMatchObject({
        kind: 'data',
        code: 'MixedLineEnds',
        place: { object: `s3://bucket/${name}`, line },
        hint: expect.stringContaining('--line-ends mixed'),
      })
      expect(error.message).toContain(`ends with ${ends}, and the lines before it with ${first}.`)
      expect(await bench.engine.tables()).toEqual([])
    }
    const result = await load(bench.engine, [file(bench, 'mixed.csv.gz', gzip(content), { format: mixed })])
    expect(result.types).toEqual({ a: 'bigint', b: 'text' })
    expect(result.rowsLoaded).toBe(content.split(/\r\n|\n|\r/).length - 2 - (content.includes('"') ? 1 : 0))
  })

  it('is read like one whose lines end in one way, whatever it holds', async () => {
    const end = fc.constantFrom('\n', '\r\n', '\r')
    const text = fc.string({ unit: fc.constantFrom('a', '"', ',', '\n', '\r', ' ', 'é') })
    const bench = await openBench()
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(text, end), { minLength: 1, maxLength: 20 }), async (records) => {
        const quoted = records.map(([value], index) => `${index},"x${value.replaceAll('"', '""')}"`)
        const lines = quoted.map((line, index) => line + (records[index]?.[1] ?? ''))
        await load(bench.engine, [file(bench, 'm.csv', `id,t\n${lines.join('')}`, { format: mixed })])
        expect(await texts(bench.engine)).toEqual(records.map(([value], index) => [`${index}`, `x${value}`]))
      }),
      { numRuns: 25 },
    )
  })

  it('has its bad rows with their lines', async () => {
    const bench = await openBench()
    const content = 'a,b\r\n1,"x\ny"\n2,z\roops,q\r\n3,s\n'
    await load(bench.engine, [file(bench, 'm.csv', content, { format: mixed })], {
      onBadRow: 'reject',
      columnTypes: { a: bigint },
    })
    expect(await rows(bench.engine, 'SELECT line::INTEGER, raw FROM t__rejects')).toEqual([[5, 'oops,q']])
  })

  it('is looked at by a plan without a failure', async () => {
    const bench = await openBench()
    const content = 'a,b\r\n1,x\n2.5,"two\nlines"\n,late\n'
    const columns = await bench.engine.infer([file(bench, 'm.csv', content)], { schemaPolicy: 'strict' })
    expect(columns.map(({ name, evidence }) => [name, evidence?.line, evidence?.value])).toEqual([
      ['a', 3, '2.5'],
      ['b', 2, 'x'],
    ])
  })
})

describe('lines of evidence', () => {
  it.each<[string, string, string, object, (number | undefined)[]]>([
    ['count line ends inside quotes', 'm.csv', 'a,b\n1,"x\ny\nz"\n\n2.5,7\n', {}, [6, 2]],
    ['count what is before the header', 'm.csv', '\n# x\na,b\n# y\n1.5,q\n', { comment: '#' }, [5, 5]],
    ['count blank lines of NDJSON', 'm.ndjson', '{"a":1,"b":"x"}\n\n{"a":1.5,"b":"y"}\n', {}, [3, 1]],
  ])('%s', async (_name, key, content, format, lines) => {
    const bench = await openBench()
    const columns = await bench.engine.infer([file(bench, key, content, { format })], {
      schemaPolicy: 'strict',
    })
    expect(columns.map(({ evidence }) => evidence?.line)).toEqual(lines)
  })
})
