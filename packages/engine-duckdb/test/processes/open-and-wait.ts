// Opens a database, says so, and closes it when stdin ends. Arguments: path, `write` or `read`.
import { ConnectorError } from '@penstock/core'
import { duckdb } from '../../src/index.ts'

const [path = '', access] = process.argv.slice(2)
try {
  const engine = await duckdb(path, { readOnly: access === 'read' })
  console.log(`open ${JSON.stringify(await engine.tables())}`)
  for await (const _ of process.stdin) {
    // Whatever comes: only its end counts.
  }
  await engine.close()
} catch (error) {
  if (!ConnectorError.isInstance(error)) throw error
  console.log(`refused ${JSON.stringify({ kind: error.kind, code: error.code, message: error.message })}`)
}
