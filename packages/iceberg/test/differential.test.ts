import type { DecodedValue, Predicate, Scalar } from '@penstock/core'
import { icebergFixtures } from '@penstock/iceberg-fixtures'
import { describe, expect, test } from 'vitest'
import { parseTableMetadata, planScan, selectVersion } from '../src/index.ts'
import { fixtureBytes, memoryReader } from './local-reader.ts'
import { executeFiles, type Row } from './reference/engine.ts'
import { fulfils } from './reference/evaluate.ts'

const { signal } = new AbortController()

const cache = new Map<string, Uint8Array>()
const cachedBytes = (path: string): Uint8Array => {
  const bytes = cache.get(path) ?? fixtureBytes(path)
  cache.set(path, bytes)
  return bytes
}

/** Values of a column that predicates are made of; more in a long run. */
const thorough = Number(process.env.PENSTOCK_PROPERTY_RUNS ?? 0) > 0
const samples = thorough ? 16 : 3

/** Predicates on a column around the values that it has. */
const predicatesOn = (name: string, values: readonly Scalar[]): Predicate[] => {
  const column = [name] as const
  const step = Math.max(1, Math.floor(values.length / samples))
  const some = values.filter((_, index) => index % step === 0)
  return [
    { kind: 'is-null', column },
    { kind: 'not-null', column },
    { kind: 'in', column, values: some.slice(0, 2) },
    { kind: 'not-in', column, values: some.slice(1) },
    ...some.flatMap((value): Predicate[] => [
      ...(['=', '<>', '<', '<=', '>', '>='] as const).map(
        (operator): Predicate => ({ kind: 'compare', column, operator, value }),
      ),
      ...(typeof value === 'string'
        ? [
            { kind: 'starts-with' as const, column, prefix: [...value].slice(0, 3).join('') },
            {
              kind: 'not' as const,
              of: { kind: 'starts-with' as const, column, prefix: [...value].slice(0, 1).join('') },
            },
          ]
        : []),
    ]),
  ]
}

const isScalar = (value: DecodedValue): value is Scalar =>
  value !== null && (typeof value !== 'object' || value instanceof Uint8Array)

const sortKey = (row: Row): string =>
  JSON.stringify(row, (_, value: unknown) => (typeof value === 'bigint' ? `${value}n` : value))
const sorted = (rows: readonly Row[]): string[] => rows.map(sortKey).sort()

const readable = icebergFixtures().filter((fixture) => fixture.table !== 'orc_data')

describe('with predicates on every column, pruned rows are those of a full scan', () => {
  test.each(readable.map((fixture) => [fixture.table, fixture] as const))('%s', async (_, fixture) => {
    const metadata = parseTableMetadata(cachedBytes(fixture.metadata), fixture.metadata)
    const version = selectVersion(metadata)
    const names = version.schema.fields.map((field) => field.name)
    const plan = (filter?: Predicate) =>
      planScan({
        metadata,
        version,
        reader: memoryReader(cachedBytes),
        request: { columns: names.map((name) => [name] as const), signal, ...(filter ? { filter } : {}) },
      })
    // Each file is read once; a plan chooses among them.
    const rowsByUrl = new Map<string, Row[]>()
    for (const file of (await plan()).files)
      rowsByUrl.set(file.file.url, await executeFiles([file], cachedBytes))
    const all = [...rowsByUrl.values()].flat()

    const sources = new Set(
      [...metadata.specs.values()].flatMap(({ fields }) => fields.flatMap((field) => field.sourceIds)),
    )
    const ofPartitions = version.schema.fields
      .filter((field) => sources.has(field.id))
      .map((field) => field.name)
    for (const name of thorough || ofPartitions.length === 0 ? names : ofPartitions) {
      const values = all.map((row) => row[name] ?? null).filter(isScalar)
      for (const filter of predicatesOn(name, values)) {
        const scan = await plan(filter)
        const rows = scan.files.flatMap((file) => {
          const found = rowsByUrl.get(file.file.url) ?? []
          if (!file.residual) expect(found.every((row) => fulfils(filter, row))).toBe(true)
          return found
        })
        const expected = all.filter((row) => fulfils(filter, row))
        expect(sorted(rows.filter((row) => fulfils(filter, row)))).toEqual(sorted(expected))
        if (scan.exact) expect(scan.exact.rows).toBe(BigInt(expected.length))
      }
    }
  })
})

describe('partitions of each transform are pruned', () => {
  const cases: readonly (readonly [table: string, filter: Predicate, mostFiles: number])[] = [
    ['t_identity', { kind: 'compare', column: ['i'], operator: '=', value: -30n }, 1],
    ['t_identity_date', { kind: 'compare', column: ['dt'], operator: '<', value: 0n }, 3],
    ['t_identity_decimal', { kind: 'in', column: ['d'], values: [101n, 202n] }, 2],
    ['t_identity_string', { kind: 'starts-with', column: ['s'], prefix: 'zür' }, 2],
    ['t_bucket_long', { kind: 'compare', column: ['l'], operator: '=', value: 3n }, 1],
    ['t_bucket_int', { kind: 'compare', column: ['i'], operator: '=', value: 5n }, 1],
    ['t_bucket_string', { kind: 'compare', column: ['s'], operator: '=', value: 'iceberg' }, 1],
    ['t_bucket_decimal', { kind: 'compare', column: ['d'], operator: '=', value: 303n }, 1],
    ['t_bucket_date', { kind: 'compare', column: ['dt'], operator: '=', value: 0n }, 1],
    ['t_bucket_ts', { kind: 'compare', column: ['ts'], operator: '=', value: 0n }, 1],
    [
      't_bucket_binary',
      { kind: 'compare', column: ['b'], operator: '=', value: Uint8Array.of(3, 255, 3) },
      1,
    ],
    ['t_truncate_long', { kind: 'compare', column: ['l'], operator: '<', value: 4n }, 1],
    ['t_truncate_int', { kind: 'compare', column: ['i'], operator: '<', value: -20n }, 2],
    ['t_truncate_string', { kind: 'starts-with', column: ['s'], prefix: 'zü' }, 1],
    ['t_truncate_decimal', { kind: 'compare', column: ['d'], operator: '>=', value: 1300n }, 2],
    [
      't_truncate_binary',
      { kind: 'compare', column: ['b'], operator: '=', value: Uint8Array.of(3, 255, 3) },
      1,
    ],
    ['t_year', { kind: 'compare', column: ['ts'], operator: '<', value: 0n }, 3],
    ['t_month', { kind: 'compare', column: ['dt'], operator: '=', value: 8700n }, 1],
    ['t_day', { kind: 'compare', column: ['tn'], operator: '<', value: -280_000_000_000_000n }, 3],
    ['t_hour', { kind: 'compare', column: ['ts'], operator: '<', value: 0n }, 3],
    [
      'py_partitioned',
      { kind: 'compare', column: ['u'], operator: '=', value: '00000000-0000-0000-0000-000000000000' },
      1,
    ],
    ['floats', { kind: 'is-nan', column: ['d'] }, 1],
    ['floats', { kind: 'is-null', column: ['d'] }, 1],
  ]

  test.each(cases)('%s', async (table, filter, mostFiles) => {
    const fixture = readable.find((candidate) => candidate.table === table)
    const path = fixture?.metadata ?? ''
    const metadata = parseTableMetadata(cachedBytes(path), path)
    const request = { columns: [columnOf(filter)], filter, signal }
    const scan = await planScan({
      metadata,
      version: selectVersion(metadata),
      reader: memoryReader(cachedBytes),
      request,
    })
    expect(scan.receipt.files).toBeLessThanOrEqual(mostFiles)
    expect(
      (scan.receipt.skipped.partition ?? 0) + (scan.receipt.skipped['manifest partitions'] ?? 0),
    ).toBeGreaterThan(0)
  })
})

const columnOf = (filter: Predicate) => ('column' in filter ? filter.column : (['l'] as const))
