import { duckdb } from '@penstock/engine-duckdb'
import { exportTo } from '@penstock/runtime'
import { interopTask } from './postgres-task.ts'

// One try of an export, in a process that is killed.
const { input, mode, database } = JSON.parse(process.argv[2] ?? '{}')
const engine = await duckdb(database)
const run = await exportTo({ ...interopTask(input, mode), engine })
await engine.close()
process.exit(run.status === 'succeeded' ? 0 : 1)
