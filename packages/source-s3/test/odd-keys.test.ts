import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { selectTables } from '../src/select.ts'
import { selection } from '../src/selection.ts'
import { type Lake, openLake } from './lake.ts'

const keys = [
  'odd/with space.csv',
  'odd/quote\'s "both".csv',
  'odd/semi;colon&and=.csv',
  'odd/100%.csv',
  'odd/%2F.csv',
  'odd/a+b.csv',
  'odd/ünïcödé 漢字 😀.csv',
  'odd/e\u0301.csv',
  'odd/\u00e9.csv',
  'odd/../up.csv',
  'odd/./here.csv',
  'odd//double//.csv',
  'odd/back\\slash.csv',
  'odd/new\nline\r\ttab.csv',
  'odd/$(rm -rf).csv',
  'odd/{a,b}*?[c].csv',
  'odd/<xml>&amp;.csv',
  `odd/${'x'.repeat(1024 - 'odd/.csv'.length)}.csv`,
  `odd/${'ä'.repeat((1024 - 'odd/.csv'.length) / 2)}.csv`,
]

let lake: Lake & AsyncDisposable
let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'penstock-source-s3-'))
  lake = await openLake()
  for (const [index, key] of keys.entries()) await lake.put({ key, body: `a\n${index}\n` })
  await lake.put('/leading.csv', '../outside.csv')
})
afterAll(async () => {
  await lake[Symbol.asyncDispose]()
  await rm(folder, { recursive: true, force: true })
})

/** Bodies by key of what a selection gives, downloaded for real. */
const bodies = (input: Record<string, unknown>) =>
  lake.use(async (context) => {
    const found: Record<string, string> = {}
    for (const table of await selectTables(context, selection.parse(input)))
      for await (const page of table.list({ signal: context.signal }))
        for (const entry of page) {
          const path = join(folder, 'download')
          await table.open(entry).download?.(path)
          found[entry.key] = await readFile(path, 'utf8')
        }
    return found
  })

const expected = Object.fromEntries(keys.map((key, index) => [key, `a\n${index}\n`]))

describe('keys of any kind', () => {
  it('are listed and downloaded as a folder', async () => {
    expect(await bodies({ folder: 'odd' })).toEqual(expected)
    expect(await readdir(folder)).toEqual(['download'])
  })

  it('are listed and downloaded by a glob', async () => {
    expect(await bodies({ glob: 'odd/**' })).toEqual(expected)
  })

  it.each(keys.map((key) => [key]))('are found one by one: %j', async (object) => {
    expect(await bodies({ object })).toEqual({ [object]: expected[object] })
  })

  it.each([
    ['odd/\\{a,b\\}\\*\\?\\[c\\].csv', ['odd/{a,b}*?[c].csv']],
    ['odd/../*', ['odd/../up.csv']],
    ['../*', ['../outside.csv']],
    ['/*', ['/leading.csv']],
    ['odd//**', ['odd//double//.csv']],
    ['odd/back\\\\*', ['odd/back\\slash.csv']],
    ['odd/new?line*', ['odd/new\nline\r\ttab.csv']],
    ['odd/?.csv', ['odd/\u00e9.csv']],
  ])('are matched as they stand by %j', async (glob, found) => {
    expect(Object.keys(await bodies({ glob, table: 't' }))).toEqual(found)
  })
})

it('lists what was put, in order, for keys of any characters', async () => {
  // `.` alone and `..` are left to the list above: HTTP clients fold them in a path.
  const anyKey = fc
    .string({
      unit: fc.oneof(fc.constantFrom('/', '=', ' ', '+', '%', '\\', "'"), fc.string({ unit: 'grapheme' })),
    })
    .map((text) => `any/${text}`.slice(0, 200))
    .filter(
      (key) =>
        key.isWellFormed() && Buffer.byteLength(key) <= 1024 && !key.endsWith('/') && key !== 'any/_SUCCESS',
    )
    // What XML 1.0 has no way to say is not sent by S3 either.
    .filter((key) => !/[\uFFFE\uFFFF]/.test(key))
  await fc.assert(
    fc.asyncProperty(fc.uniqueArray(anyKey, { minLength: 1, maxLength: 20 }), async (added) => {
      for (const key of added) await lake.aws.s3.putObject({ bucket: 'lake', key, body: 'x' })
      const [table] = await lake.select({ folder: 'any', format: 'csv' })
      expect(table?.keys).toEqual(added.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))))
      for (const key of added) lake.aws.s3.deleteObject('lake', key)
    }),
    { numRuns: 30 },
  )
})
