import fc from 'fast-check'
import { expect, test } from 'vitest'
import { file, load } from './stage-support.ts'

/* Many small files of one header are read as one. Nobody may notice: neither by rows, nor by counts, nor by places. */

type Options = Parameters<typeof load>[1]

const staged = (texts: readonly string[], folder: string) =>
  Promise.all(texts.map((text, index) => file(`${folder}-${String(index).padStart(2, '0')}.csv`, text)))

/** Loads files after a first one that defines the columns: in one batch, and one by one. */
const bothWays = async (texts: readonly string[], options: Options = {}) => {
  const first = 'id,x\n1,"first ""one"""\n'
  const together = await load([], options, [[await file('first.csv', first)], await staged(texts, 'file')])
  const oneByOne = await load(
    [],
    options,
    [await file('first.csv', first), ...(await staged(texts, 'file'))].map((each) => [each]),
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

test('any files: the same as one by one', async () => {
  const good = fc.constantFrom('1,a', '2,"b"', '3,"x ""y"""', '4,"two\nlines"', '5,', ',', '', '"6","7"')
  const odd = fc.constantFrom('8,"open', '9', '1,2,3', '7,close"', '"', ',""')
  const record = fc.oneof({ weight: 60, arbitrary: good }, { weight: 1, arbitrary: odd })
  const text = fc
    .tuple(fc.array(record, { maxLength: 5 }), fc.constantFrom('', '\n', '\n\n'))
    .map(([records, end]) => `id,x\n${records.join('\n')}${end}`)
  await fc.assert(
    fc.asyncProperty(fc.array(text, { minLength: 8, maxLength: 10 }), async (texts) => {
      const { together, oneByOne } = await bothWays(texts, { onBadRow: 'reject', allText: true })
      expect(together).toEqual(oneByOne)
    }),
    { numRuns: Number(process.env.PENSTOCK_RUNS ?? 8) },
  )
}, 60_000)
