import { icebergFixtures } from '@penstock/iceberg-fixtures'
import { describe, expect, test } from 'vitest'
import { parseTableMetadata, planScan, selectVersion } from '../src/index.ts'
import { fixtureBytes, fixtureReader } from './local-reader.ts'

const { signal } = new AbortController()

describe.each(
  icebergFixtures()
    .filter((fixture) => fixture.table !== 'orc_data')
    .map((fixture) => [fixture.table, fixture] as const),
)('%s', (_, fixture) => {
  const metadata = parseTableMetadata(fixtureBytes(fixture.metadata), fixture.metadata)
  const version = selectVersion(metadata)

  test('a scan of all has the rows that the snapshot counts', async () => {
    expect(metadata.formatVersion).toBe(fixture.formatVersion)
    const columns = version.schema.fields.map((field) => [field.name] as const)
    const scan = await planScan({ metadata, version, request: { columns, signal }, reader: fixtureReader() })
    const rows = scan.files.reduce((sum, file) => sum + (file.rows ?? 0), 0)
    expect(rows).toBe(Number(version.snapshot?.totalRecords ?? 0n))
    if (scan.exact) expect(scan.exact.rows).toBe(BigInt(fixture.reads[0]?.rows.length ?? -1))
    expect(scan.files.every((file) => !file.residual)).toBe(true)
  })
})
