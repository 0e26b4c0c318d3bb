import { gzipSync, zstdCompressSync } from 'node:zlib'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { file, load } from './stage-support.ts'

/* Many small files of one header are read as one. Nobody may notice: neither by rows, nor by counts, nor by places. */

type Options = Parameters<typeof load>[1]

/** How the text of a file is stored. */
const forms = {
  csv: (text: string) => text,
  'csv with CR LF': (text: string) => text.replaceAll('\n', '\r\n'),
  'csv.gz': (text: string) => gzipSync(text),
  'csv.zst': (text: string) => zstdCompressSync(text),
}
type Form = keyof typeof forms

const staged = (name: string, text: string, form: Form) =>
  file(`${name}.${form.replace(/ .*/, '')}`, forms[form](text))

/** Loads files after a first one that defines the columns: in one batch, and one by one. */
const bothWays = async (texts: readonly string[], options: Options = {}, form: Form = 'csv') => {
  const files = () =>
    Promise.all([
      staged('first', 'id,x\n1,"first ""one"""\n', form),
      ...texts.map((text, index) => staged(`file-${String(index).padStart(2, '0')}`, text, form)),
    ])
  const [first, ...others] = await files()
  const together = await load([], options, first ? [[first], others] : [])
  const oneByOne = await load(
    [],
    options,
    (await files()).map((each) => [each]),
  )
  return { together, oneByOne }
}

const plain = (count: number) => Array.from({ length: count }, (_, index) => `id,x\n${index},a${index}\n`)

test('rows keep their files, whatever is at the ends of these', async () => {
  const texts = [
    ...plain(8),
    'id,x\n',
    'id,x\n,\n',
    'id,x\n20,no line end',
    'id,x\n21,"line\nend"\n\n\n22,last',
    'id,x\n23,"quoted"',
  ]
  const { together, oneByOne } = await bothWays(texts, { lineage: ['_file'] })
  expect(together).toEqual(oneByOne)
  expect(together.counted.map(([, rows]) => rows)).toEqual([1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 1, 1, 2, 1])
  expect(together.rows.find(([id]) => id === '22')).toEqual([
    '22',
    'last',
    expect.stringMatching(/file-11\.csv$/),
  ])
})

test('a quote that runs on into the next file is found in its own', async () => {
  const texts = [...plain(8), 'id,x\n30,"open\n', 'id,x\n31,close"\n', 'id,x\n32,"x"\n']
  const { together, oneByOne } = await bothWays(texts, { onBadRow: 'reject' })
  expect(together).toEqual(oneByOne)
  expect(together.rejects.map(([object, line]) => [object, line])).toContainEqual([
    expect.stringMatching(/file-08\.csv$/),
    2,
  ])
})

test('a bad value is named with its file and line', async () => {
  const texts = [...plain(9), 'id,x\n40,b\nforty,c\n']
  const { together, oneByOne } = await bothWays(texts, { onBadRow: 'reject' })
  expect(together).toEqual(oneByOne)
  expect(together.rejects).toHaveLength(1)
  await expect(bothWays(texts)).rejects.toThrow(/file-09\.csv, line 3, column "id"/)
})

test('one file among many that can not be joined does not keep the others from it', async () => {
  const texts = [...plain(20), 'id,x\r\n30,"a\nb"\r\n', 'id,x\n31,"open\n', ...plain(20)]
  const { together, oneByOne } = await bothWays(texts, { onBadRow: 'reject' })
  expect(together).toEqual(oneByOne)
  const ones = Array(20).fill(1)
  expect(together.counted.map(([, rows]) => rows)).toEqual([1, ...ones, 1, 0, ...ones])
})

test('a small file that is cut off is named', async () => {
  const text = (id: number) => `id,x\n${`${id},text\n`.repeat(50)}`
  for (const [name, store] of [['gz', gzipSync] as const, ['zst', zstdCompressSync] as const]) {
    const files = await Promise.all(
      Array.from({ length: 12 }, (_, index) =>
        file(`f-${index}.csv.${name}`, store(text(index)).subarray(0, index === 7 ? -4 : undefined)),
      ),
    )
    await expect(load(files)).rejects.toThrow(`s3://b/f-7.csv.${name} is corrupt: unexpected end of file.`)
  }
})

test.each(Object.keys(forms) as Form[])(
  'any files: the same as one by one, %s',
  async (form) => {
    const good = fc.constantFrom('1,a', '2,"b"', '3,"x ""y"""', '4,"two\nlines"', '5,', ',', '', '"6","7"')
    const odd = fc.constantFrom('8,"open', '9', '1,2,3', '7,close"', '"', ',""')
    const record = fc.oneof({ weight: 60, arbitrary: good }, { weight: 1, arbitrary: odd })
    const text = fc
      .tuple(fc.array(record, { maxLength: 5 }), fc.constantFrom('', '\n', '\n\n'))
      .map(([records, end]) => `id,x\n${records.join('\n')}${end}`)
    await fc.assert(
      fc.asyncProperty(fc.array(text, { minLength: 8, maxLength: 10 }), async (texts) => {
        const { together, oneByOne } = await bothWays(texts, { onBadRow: 'reject', allText: true }, form)
        expect(together).toEqual(oneByOne)
      }),
      { numRuns: Number(process.env.PENSTOCK_RUNS ?? 4) },
    )
  },
  60_000,
)
