import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { duckdb } from './index.ts'

const newFolder = (): string => {
  const folder = mkdtempSync(join(tmpdir(), 'penstock-folders-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** A process id that no process has any more. */
const deadProcess = (): number =>
  Number(execFileSync(process.execPath, ['-p', 'process.pid'], { encoding: 'utf8' }))

test('next to the database, and gone with the engine', async () => {
  const path = join(newFolder(), 'w.duckdb')
  const engine = await duckdb(path)
  expect(dirname(engine.stagingFolder)).toBe(`${path}.penstock-staging`)
  writeFileSync(join(engine.stagingFolder, 'file'), 'x')
  await engine.close()
  expect(readdirSync(dirname(path))).toEqual(['w.duckdb'])
})

test('leftovers next to a database go when it is opened for writing, whoever left them', async () => {
  const path = join(newFolder(), 'w.duckdb')
  const parent = `${path}.penstock-staging`
  for (const name of [`${deadProcess()}-0123456789ab`, `${process.pid}-0123456789ab`, 'a folder of the user'])
    mkdirSync(join(parent, name), { recursive: true })
  const engine = await duckdb(path)
  expect(readdirSync(parent).toSorted()).toEqual(
    ['a folder of the user', engine.stagingFolder.slice(parent.length + 1)].toSorted(),
  )
  await engine.close()
  expect(readdirSync(parent)).toEqual(['a folder of the user'])
})

test('in a folder of the user, those of living processes stay', async () => {
  const given = newFolder()
  const [dead, alive] = [`${deadProcess()}-0123456789ab`, `${process.ppid}-0123456789ab`]
  for (const name of [dead, alive, 'mine']) mkdirSync(join(given, name))
  const engine = await duckdb(':memory:', { stagingFolder: given })
  expect(dirname(engine.stagingFolder)).toBe(given)
  await engine.close()
  expect(readdirSync(given).toSorted()).toEqual([alive, 'mine'].toSorted())
})

test('an in-memory and a read-only database leave nothing behind', async () => {
  const path = join(newFolder(), 'w.duckdb')
  await (await duckdb(path)).close()
  for (const engine of [await duckdb(':memory:'), await duckdb(path, { readOnly: true })]) {
    expect(engine.stagingFolder.startsWith(tmpdir())).toBe(true)
    expect(existsSync(engine.stagingFolder)).toBe(true)
    await engine.close()
    expect(existsSync(engine.stagingFolder)).toBe(false)
  }
  expect(readdirSync(dirname(path))).toEqual(['w.duckdb'])
})

test('a folder that can not be made is told as such, and the database is released', async () => {
  const folder = newFolder()
  const path = join(folder, 'w.duckdb')
  writeFileSync(join(folder, 'file'), 'x')
  await expect(duckdb(path, { stagingFolder: join(folder, 'file', 'below') })).rejects.toMatchObject({
    kind: 'resource',
    code: 'StagingFolder',
  })
  await (await duckdb(path)).close()
})
