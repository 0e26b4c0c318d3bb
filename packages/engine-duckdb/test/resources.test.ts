import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { duckdb } from '../src/index.ts'
import { failure, file, load, rows } from './support.ts'

/** A disk of its own of that many MiB, or undefined where this user may not mount one. */
const smallDisk = (mebibytes: number): string | undefined => {
  const folder = mkdtempSync(join(tmpdir(), 'penstock-disk-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${mebibytes}m`, 'penstock-test', folder], {
      stdio: 'ignore',
    })
  } catch {
    return undefined
  }
  onTestFinished(() => {
    execFileSync('umount', ['-l', folder])
  })
  return folder
}

const newFolder = (): string => {
  const folder = mkdtempSync(join(tmpdir(), 'penstock-resources-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** Rows that do not compress: 64 hexadecimal digits each. */
const noise = (count: number): string => {
  let state = 1n
  const next = () => {
    state = (state * 6_364_136_223_846_793_005n + 1_442_695_040_888_963_407n) & 0xffff_ffff_ffff_ffffn
    return state.toString(16).padStart(16, '0')
  }
  return `id,noise\n${Array.from({ length: count }, (_, id) => `${id},g${next()}${next()}${next()}${next()}\n`).join('')}`
}

test('a full disk keeps the table as it was, and the next load works', async ({ skip }) => {
  const disk = smallDisk(8)
  if (disk === undefined) return skip('mounting a small disk takes root')
  const folder = newFolder()
  const path = join(disk, 'w.duckdb')
  let engine = await duckdb(path, { stagingFolder: folder, threads: 2 })
  await load(engine, [file({ folder, engine }, 'a.csv', 'id,noise\n1,old\n')])
  const error = await failure(load(engine, [file({ folder, engine }, 'big.csv', noise(250_000))]))
  expect(error).toMatchObject({ kind: 'resource', code: 'DiskFull' })
  expect(error.hint).toBeTruthy()
  await engine.close()

  engine = await duckdb(path, { stagingFolder: folder, threads: 2 })
  expect(await rows(engine, 'FROM t')).toEqual([[1, 'old']])
  expect(await rows(engine, 'SELECT key FROM _penstock.ledger')).toEqual([['a.csv']])
  await load(engine, [file({ folder, engine }, 'b.csv', 'id,noise\n2,new\n')])
  expect(await rows(engine, 'FROM t')).toEqual([[2, 'new']])
  await engine.close()
})

test('a memory limit that is too small is told as such', async () => {
  const folder = newFolder()
  const engine = await duckdb(':memory:', {
    stagingFolder: folder,
    memoryLimitBytes: 40 * 1024 ** 2,
    maxTempBytes: 1024 ** 2,
    threads: 2,
  })
  onTestFinished(() => engine.close())
  const error = await failure(load(engine, [file({ folder, engine }, 'big.csv', noise(1_000_000))]))
  expect(error.kind).toBe('resource')
  expect(error.hint).toBeTruthy()
  expect(await engine.tables()).toEqual([])
  await load(engine, [file({ folder, engine }, 'a.csv', 'id\n1\n')])
  expect(await rows(engine, 'FROM t')).toEqual([[1]])
})

test('the staging folder is there while the engine is open, and gone afterwards', async () => {
  const folder = newFolder()
  const path = join(folder, 'w.duckdb')
  const engine = await duckdb(path)
  expect(existsSync(engine.stagingFolder)).toBe(true)
  expect(engine.stagingFolder.startsWith(`${path}.penstock-staging`)).toBe(true)
  await engine.close()
  expect(existsSync(`${path}.penstock-staging`)).toBe(false)
})

test('what does not fit into memory is spilled below the staging folder, up to its ceiling', async () => {
  const folder = newFolder()
  const engine = await duckdb(join(folder, 'w.duckdb'), {
    memoryLimitBytes: 100 * 1024 ** 2,
    maxTempBytes: 512 * 1024 ** 2,
    threads: 2,
  })
  onTestFinished(() => engine.close())
  const sorted = await rows(
    engine,
    'SELECT count(*) FROM (SELECT row_number() OVER (ORDER BY hash(range), md5(range::VARCHAR)) FROM range(2000000))',
  )
  expect(sorted).toEqual([[2_000_000]])
  expect(existsSync(`${join(folder, 'w.duckdb')}.tmp`)).toBe(false)
})
