import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { ConnectorError, describeType, detectFormat, type FileEntry, type StagedFile } from '@penstock/core'
import { duckdb } from '@penstock/engine-duckdb'

// node --conditions=penstock:source examples/load-folder.ts
// Loads what is new in a folder, twice: the second time there is one file more. A bad value is told, and loads nothing.
const folder = await mkdtemp(join(tmpdir(), 'penstock-example-'))
await writeFile(join(folder, 'monday.csv'), 'id,code,amount\n1,007,12.50\n2,010,3\n')
await writeFile(join(folder, 'tuesday.csv'), 'id,code,amount\n3,011,0.99\n')

const engine = await duckdb(join(folder, 'warehouse.duckdb'))

/** One file of the folder as a listing tells it. What changes with the bytes is its version; here, time and size. */
const entryOf = async (key: string): Promise<FileEntry> => {
  const { size, mtimeMs } = await stat(join(folder, key))
  return { container: folder, key, version: `${mtimeMs}-${size}`, size, modified: Math.round(mtimeMs) }
}

const staged = (entry: FileEntry): StagedFile => ({
  entry,
  url: pathToFileURL(join(folder, entry.key)).href,
  format: detectFormat(entry.key) ?? { type: 'csv', compression: 'none' },
  constants: {},
  path: join(folder, entry.key),
})

const loadNew = async (runId: string, keys: readonly string[]): Promise<void> => {
  const { signal } = new AbortController()
  const transaction = await engine.begin({ runId, signal })
  try {
    const listing = (async function* () {
      yield await Promise.all(keys.map(entryOf))
    })()
    const comparison = await transaction.compare('sales', listing)
    const load = await transaction.load({
      table: 'sales',
      mode: 'delta',
      schemaPolicy: 'strict',
      onBadRow: 'fail',
    })
    for await (const entries of comparison.entries(['added', 'changed']))
      await load.addFiles(entries.map(staged), { signal })
    const { rowsLoaded } = await load.finish()
    await transaction.commit({
      runId,
      command: 'example',
      connector: 'folder',
      status: 'succeeded',
      startedAt: new Date().toISOString(),
      tables: [],
    })
    console.log(
      `${runId}: ${comparison.added.objects} new, ${comparison.unchanged.objects} known, ${rowsLoaded} rows`,
    )
  } finally {
    // After a commit there is nothing left to roll back.
    await transaction.rollback()
  }
}

try {
  await loadNew('first', ['monday.csv', 'tuesday.csv'])
  await writeFile(join(folder, 'wednesday.csv'), 'id,code,amount\n4,012,7.25\n')
  await loadNew('second', ['monday.csv', 'tuesday.csv', 'wednesday.csv'])

  await writeFile(join(folder, 'thursday.csv'), 'id,code,amount\n5,013,much\n')
  await loadNew('third', ['monday.csv', 'tuesday.csv', 'wednesday.csv', 'thursday.csv']).catch((error) => {
    if (!ConnectorError.isInstance(error)) throw error
    console.log(`third: ${error.kind}: ${error.message}`)
  })

  const result = await engine.query('SELECT code, amount FROM sales ORDER BY id')
  console.log(result.columns.map(({ name, type }) => `${name} ${describeType(type)}`).join(', '))
  for await (const rows of result.rows()) for (const row of rows) console.log(row.join(' '))
} finally {
  await engine.close()
  await rm(folder, { recursive: true, force: true })
}
