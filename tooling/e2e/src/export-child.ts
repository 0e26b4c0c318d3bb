import { type ExportTask, runExportTask } from './export-task.ts'

/* One export in a process of its own, to be killed. Argument: JSON of ExportTask. Prints `started`, then the status. */

console.log('started')
const record = await runExportTask(JSON.parse(process.argv[2] ?? '') as ExportTask)
console.log(record.status, JSON.stringify(record.error ?? null))
process.exitCode = record.status === 'succeeded' ? 0 : 1
