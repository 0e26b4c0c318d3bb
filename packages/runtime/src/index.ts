export { type CheckOptions, listTables, runCheck } from './check.ts'
export { exportTo } from './export/export.ts'
export { type ExportPlan, type PlannedExportStream, planExport } from './export/plan.ts'
export { type ExportOptions, exportIdentity } from './export/prepare.ts'
export { exportMode, type StreamRequest, streamRequest } from './export/request.ts'
export { type SweepOptions, sweepDestination } from './export/sweep.ts'
export { createRunId, type ExtractOptions, errorRecord, extract, type Resources } from './extract/extract.ts'
export { type ExtractPlan, plan, type SchemaChange, type TablePlan } from './extract/plan.ts'
export { type Preview, type PreviewOptions, previewTable } from './extract/preview.ts'
export { type RecordedExtraction, runExtraction } from './extract/record.ts'
export { type LoadRequest, loadRequest, type TableRequest } from './extract/request.ts'
export { defaultStagingBytes } from './extract/staging.ts'
export { parseType } from './extract/type-names.ts'
export type { PipelineContext, PipelineEvent } from './pipeline/context.ts'
export { openPipelineConnections, pipelineContext } from './pipeline/open-context.ts'
export { errorOf } from './pipeline/outcome.ts'
export type { PipelineRun, StepRecord, StepStatus } from './pipeline/record.ts'
export { type RunPipelineOptions, recordFailedStart, runPipeline } from './pipeline/run.ts'
export * from './project/index.ts'
export { firstRows } from './query/first-rows.ts'
export { type KeptRows, keepRows } from './query/keep-rows.ts'
export { type OpenMounts, type OpenMountsOptions, openMounts } from './query/mounts.ts'
export { explain, type InPlaceOptions, query, queryToFile } from './query/query.ts'
export { describeSchedule, type Schedule, type ScheduleInput, scheduleEntry } from './schedule/schedule.ts'
export { nextTimes } from './schedule/times.ts'
export type { ServeEvent } from './serve/events.ts'
export { type ServedRun, type ServeOptions, serve } from './serve/serve.ts'
export {
  type DescribedTable,
  describeTable,
  type ListedNamespace,
  type ListedTable,
  listCatalogTables,
  listNamespaces,
  requireTables,
} from './zero-copy/catalog.ts'
export {
  type ShareChoice,
  type SharedNamespace,
  type ShareOutcome,
  shareLevels,
  shareTables,
  unshareNamespace,
  withoutShares,
} from './zero-copy/share.ts'
export { joinName, parseTableName, splitName, tableLabel } from './zero-copy/table-name.ts'
