import type { TableVersion } from '@penstock/core'
import { type FixtureVersion, icebergFixtures } from '@penstock/iceberg-fixtures'
import { describe, expect, test } from 'vitest'
import { parseTableMetadata, planScan, selectVersion, tableSchemaOf } from '../src/index.ts'
import { fixtureBytes, fixtureReader } from './local-reader.ts'
import { canonicalRows, sortRows } from './reference/canonical.ts'
import { executeFiles } from './reference/engine.ts'

const { signal } = new AbortController()

const versionOf = (at: FixtureVersion): TableVersion | undefined => {
  if (at.snapshotId !== undefined) return { snapshotId: BigInt(at.snapshotId) }
  if (at.timestampMs !== undefined) return { timestamp: new Date(at.timestampMs) }
  return at.ref === undefined ? undefined : { ref: at.ref }
}

const readable = icebergFixtures().filter((fixture) => fixture.table !== 'orc_data')

describe.each(readable.map((fixture) => [fixture.table, fixture] as const))('%s', (_, fixture) => {
  const metadata = parseTableMetadata(fixtureBytes(fixture.metadata), fixture.metadata)

  test.each(fixture.reads.map(({ at, rows }) => [JSON.stringify(at), at, rows] as const))(
    'at %s has the rows that its writer reads',
    async (_name, at, expected) => {
      expect(metadata.formatVersion).toBe(fixture.formatVersion)
      const version = selectVersion(metadata, versionOf(at))
      const schema = tableSchemaOf(version.schema)
      const columns = schema.columns.map(({ name }) => [name] as const)
      const scan = await planScan({
        metadata,
        version,
        request: { columns, signal },
        reader: fixtureReader(),
      })
      const rows = await executeFiles(scan.files, fixtureBytes)
      expect(canonicalRows(rows, schema)).toEqual(sortRows(expected))
      if (scan.exact) expect(scan.exact.rows).toBe(BigInt(expected.length))
      expect(scan.files.every((file) => !file.residual)).toBe(true)
    },
  )
})
