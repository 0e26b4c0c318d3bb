// Loads generation after generation until it is killed: table `replaced` anew, table `appended` with one more file.
// Arguments: path of the database, path of a CSV file.
import type { FileEntry, RunRecord, StagedFile } from '@penstock/core'
import { duckdb } from '../../src/index.ts'

const [database = '', csv = ''] = process.argv.slice(2)
const { signal } = new AbortController()
const engine = await duckdb(database, { threads: 2 })

const entryOf = (key: string, version: number): FileEntry => ({
  container: 'bucket',
  key,
  version: `v${version}`,
  size: 1,
  modified: version,
})
const staged = (entry: FileEntry, generation: number): StagedFile => ({
  entry,
  url: `s3://bucket/${entry.key}`,
  format: { type: 'csv', compression: 'none' },
  constants: { generation: String(generation) },
  path: csv,
})
const recordOf = (runId: string): RunRecord => ({
  runId,
  command: 'extract',
  connector: 's3',
  status: 'succeeded',
  startedAt: new Date().toISOString(),
  tables: [],
})

const loadTable = async (table: string, mode: 'full' | 'delta', listing: FileEntry[], generation: number) => {
  const runId = `${table}-${generation}`
  const transaction = await engine.begin({ runId, signal })
  const comparison = await transaction.compare(
    table,
    (async function* () {
      yield listing
    })(),
  )
  const load = await transaction.load({ table, mode, schemaPolicy: 'strict', onBadRow: 'fail' })
  const kinds =
    mode === 'full' ? (['added', 'changed', 'unchanged'] as const) : (['added', 'changed'] as const)
  for await (const entries of comparison.entries(kinds))
    for (const entry of entries) await load.addFiles([staged(entry, generation)], { signal })
  await load.finish()
  await transaction.commit(recordOf(runId))
  console.log(`committed ${runId}`)
}

const known = (await engine.runs()).map(({ runId }) => Number(runId.split('-')[1]))
let generation = Math.max(0, ...known)
console.log('ready')
for (;;) {
  generation++
  const version = generation
  await loadTable('replaced', 'full', [entryOf('a.csv', version), entryOf('b.csv', version)], generation)
  const objects = Array.from({ length: generation }, (_, index) => entryOf(`part-${index + 1}.csv`, 1))
  await loadTable('appended', 'delta', objects, generation)
}
