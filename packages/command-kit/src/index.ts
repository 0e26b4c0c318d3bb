export { Args, Flags, type Interfaces } from '@oclif/core'
export { type ActionCommandClass, type ActionCommandOptions, actionCommand } from './actions/command.ts'
export { findAction } from './actions/definition.ts'
export { BaseCommand } from './command.ts'
export { exitCodes } from './exit-codes.ts'
export { CommandFailure, errorFields, errorLines, failureOf } from './failure.ts'
export { showActionHelp, showHelp } from './help.ts'
export { exactJson, toJson, writeOut } from './output.ts'
export { resultLine } from './progress/lines.ts'
export { createProgress, type Progress, type ProgressOptions } from './progress/progress.ts'
export {
  advance,
  initialProgress,
  type ProgressState,
  rateOf,
  remainingOf,
  type TableProgress,
} from './progress/state.ts'
export { type Choice, type Prompter, terminalPrompter } from './prompts/prompter.ts'
export { askField, askFields, type WizardOptions } from './prompts/wizard.ts'
export { createRedactor, type Redactor } from './redaction.ts'
export { runCommandLine, runFromSources } from './run.ts'
export { flagName, parseFlags, readFlags, type SchemaFlagOptions, schemaFlags } from './schema/flags.ts'
export { countOf, formatBytes, formatClock, formatCount, formatDuration, formatTime } from './text/numbers.ts'
export { type Style, styleFor } from './text/style.ts'
export { renderTable, type TableColumn } from './text/table.ts'
export { csvLine, rowText, valueText } from './text/values.ts'
export { columnsOf, pad, printable, tableWidth, truncate, widthOf, wrap } from './text/width.ts'
export { translateUsageError } from './usage-errors.ts'
