import { readFileSync } from 'node:fs'
import { fixturePath, icebergFixtures } from '@penstock/iceberg-fixtures'
import { describe, expect, test } from 'vitest'
import { parseTableMetadata, readManifest, readManifestList, selectVersion } from '../src/index.ts'

const bytesOf = (path: string): Uint8Array => readFileSync(fixturePath(path))

describe.each(icebergFixtures().map((fixture) => [fixture.table, fixture] as const))('%s', (_, fixture) => {
  test('manifests hold as many rows as the snapshot says', () => {
    const metadata = parseTableMetadata(bytesOf(fixture.metadata), fixture.metadata)
    expect(metadata.formatVersion).toBe(fixture.formatVersion)
    const { snapshot } = selectVersion(metadata)
    const list = snapshot?.manifestList
    const rows = (list === undefined ? [] : readManifestList(bytesOf(list), list))
      .filter((manifest) => manifest.content === 'data')
      .flatMap((manifest) => [...readManifest(bytesOf(manifest.path), manifest, new Set()).files()])
      .reduce((sum, file) => sum + file.recordCount, 0n)
    expect(rows).toBe(snapshot?.totalRecords ?? 0n)
  })
})
