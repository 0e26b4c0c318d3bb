export { bytes, parseBytes } from './bytes.ts'
export { checkConnection, type OpenConnectionOptions, openConnection, secretVariable } from './connection.ts'
export { openDraft } from './draft.ts'
export {
  type ConnectionEdit,
  initProject,
  projectSchemaUrl,
  removeConnection,
  saveConnection,
  saveSchedule,
} from './edit.ts'
export type { PipelineGroup } from './extraction.ts'
export { findProjectFile, projectFileName } from './find.ts'
export {
  type History,
  type PipelineHistory,
  pipelineHistory,
  type RunHistory,
  runHistory,
} from './history.ts'
export { projectJsonSchema } from './json-schema.ts'
export { isProjectName } from './names.ts'
export { type OpenedPipeline, openPipeline } from './pipeline.ts'
export { connectionProblems, type FieldProblem, needsExternalId, problemsError } from './problems.ts'
export {
  connectionNamed,
  openProject,
  type Project,
  type ProjectConnection,
  type ProjectPipeline,
  parseProject,
  pipelineNamed,
} from './project.ts'
export { type RecordOptions, recordRun } from './record-run.ts'
export { hasReference, isReference } from './references.ts'
export { resourcesOf } from './resources.ts'
export { type ResourceOptions, resourceOptions } from './schema.ts'
export type { OpenedStep } from './steps.ts'
export { type ConnectionSummary, summarizeConnection } from './summary.ts'
export { durationOf, totalsOf } from './totals.ts'
