import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const folder = fileURLToPath(new URL('..', import.meta.url))

/** A version of a table: the current one where it is empty. */
export interface FixtureVersion {
  readonly snapshotId?: string
  readonly timestampMs?: number
  readonly ref?: string
}

/**
 * A value as it stands in `expected/`: integers and decimals as digits, floats as number or `NaN`, `Infinity`,
 * `-Infinity`, times as ISO 8601 with microseconds, binary as hex, structs as objects, maps as pairs.
 */
export type FixtureValue =
  | null
  | boolean
  | number
  | string
  | readonly FixtureValue[]
  | { readonly [field: string]: FixtureValue }

export type FixtureRow = Readonly<Record<string, FixtureValue>>

/** A table and its rows as its writer reads them. */
export interface IcebergFixture {
  readonly table: string
  /** Path of the metadata file, `s3://fixtures/iceberg/...`. */
  readonly metadata: string
  readonly formatVersion: number
  readonly writer: string
  readonly covers: readonly string[]
  readonly reads: readonly { readonly at: FixtureVersion; readonly rows: readonly FixtureRow[] }[]
}

/** Bucket of all paths. */
export const fixtureBucket = 'fixtures'

/** All fixture tables. */
export const icebergFixtures = (): IcebergFixture[] =>
  readdirSync(join(folder, 'expected'))
    .filter((name) => name.endsWith('.ndjson'))
    .sort()
    .map((name) => icebergFixture(name.slice(0, -'.ndjson'.length)))

export const icebergFixture = (table: string): IcebergFixture => {
  const [head = '', ...lines] = readFileSync(join(folder, 'expected', `${table}.ndjson`), 'utf8')
    .trimEnd()
    .split('\n')
  const reads: { at: FixtureVersion; rows: FixtureRow[] }[] = []
  for (let index = 0; index < lines.length; ) {
    const { at, rows } = JSON.parse(lines[index] ?? '') as { at: FixtureVersion; rows: number }
    const parsed = lines.slice(index + 1, index + 1 + rows).map((line) => JSON.parse(line) as FixtureRow)
    reads.push({ at, rows: parsed })
    index += 1 + rows
  }
  return { ...(JSON.parse(head) as Omit<IcebergFixture, 'reads'>), reads }
}

/** Keys in the bucket and local paths of the objects of a table, or of all: what an embedded S3 is filled with. */
export const fixtureObjects = (table?: string): { readonly key: string; readonly path: string }[] => {
  const root = join(folder, 'objects')
  return readdirSync(join(root, 'iceberg', table ?? ''), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .map((path) => ({ key: path.slice(root.length + 1), path }))
}

/** Local path of an object, by its `s3://fixtures/...` path. */
export const fixturePath = (url: string): string =>
  join(folder, 'objects', url.replace(/^s3[an]?:\/\/fixtures\//, ''))
