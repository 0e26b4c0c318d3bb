import { openAsBlob, readFileSync } from 'node:fs'
import { type FileReader, parseTableMetadata, planScan, selectVersion } from '@penstock/iceberg'
import { fixturePath, icebergFixture } from '@penstock/iceberg-fixtures'

// Plans a query of one of the fixture tables and prints which files it needs, and why not the others.
const reader: FileReader = {
  read: async (path) => readFileSync(fixturePath(path)),
  open: (url, size) => ({
    url,
    size,
    async *read({ start, end }) {
      yield* (await openAsBlob(fixturePath(url))).slice(start, end).stream()
    },
  }),
}

const path = icebergFixture('t_month').metadata
const metadata = parseTableMetadata(await reader.read(path, { signal: AbortSignal.timeout(10_000) }), path)
const version = selectVersion(metadata)

const scan = await planScan({
  metadata,
  version,
  reader,
  request: {
    columns: [['l'], ['dt']],
    // dt >= date '1990-01-01' and l <> 13
    filter: {
      kind: 'and',
      of: [
        { kind: 'compare', column: ['dt'], operator: '>=', value: 7305n },
        { kind: 'compare', column: ['l'], operator: '<>', value: 13n },
      ],
    },
    signal: AbortSignal.timeout(10_000),
  },
})

for (const { file, rows, columns, deletes, residual } of scan.files)
  console.log({ url: file.url, rows, columns, deletes: deletes.length, residual })
console.log(scan.receipt)
