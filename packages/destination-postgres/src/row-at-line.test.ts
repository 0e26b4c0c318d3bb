import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { rowAtLine } from './row-at-line.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'penstock-rows-'))
})
afterAll(() => rm(folder, { recursive: true }))

test.each([
  [1, 1],
  [2, 2],
  [4, 2],
  [5, 3],
])('line %i is of record %i, where the first two have several lines', async (line, row) => {
  const path = join(folder, 'rows.csv')
  await writeFile(path, '"a\na",1\n"x\n""y""\nz",2\nb,3\n')
  expect(await rowAtLine(path, line)).toBe(row)
})
