import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, test } from 'vitest'
import { parseTableMetadata, selectVersion } from '../src/index.ts'

/** Size of the metadata file, in bytes; 100 MB when asked for. */
const size = process.env.PENSTOCK_LARGE ? 100_000_000 : 6_000_000

test('a long history is read in memory near the size of the file', () => {
  const filler = Object.fromEntries(
    Array.from({ length: 20 }, (_, index) => [`property-${index}`, 'x'.repeat(30)]),
  )
  const first = 9_007_199_254_740_993n
  const snapshot = (index: number) =>
    `{"snapshot-id":${first + BigInt(index)},"timestamp-ms":${1_700_000_000_000 + index},"schema-id":0,` +
    `"summary":${JSON.stringify({ operation: 'append', 'total-records': String(index), ...filler })},` +
    `"manifest-list":"s3://bucket/table/metadata/snap-${index}.avro"}`
  const parts = [
    '{"format-version":2,"location":"s3://b","schemas":[{"schema-id":0,"type":"struct","fields":[]}],"snapshots":[',
  ]
  let bytes = 0
  let count = 0
  while (bytes < size) {
    const text = `${count > 0 ? ',' : ''}${snapshot(count++)}`
    parts.push(text)
    bytes += text.length
  }
  parts.push(`],"current-snapshot-id":${first + BigInt(count - 1)}}`)
  const file = Buffer.from(parts.join(''))
  parts.length = 0

  setFlagsFromString('--expose-gc')
  const collectGarbage = runInNewContext('gc') as () => void
  collectGarbage()
  const before = process.memoryUsage().heapUsed
  const metadata = parseTableMetadata(file, 's3://b/v1.metadata.json')
  // Garbage included.
  expect(process.memoryUsage().heapUsed - before).toBeLessThan(4 * size)
  collectGarbage()
  // Summaries are not kept; all of the JSON as objects would be more than the file.
  expect(process.memoryUsage().heapUsed - before).toBeLessThan(0.75 * size)
  expect(metadata.snapshots).toHaveLength(count)
  expect(selectVersion(metadata).snapshot).toMatchObject({
    snapshotId: first + BigInt(count - 1),
    totalRecords: BigInt(count - 1),
  })
})
