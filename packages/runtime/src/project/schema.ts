import { z } from 'zod'
import { alertEntry } from '../alerts/alert-schema.ts'
import { loadRequest } from '../extract/request.ts'
import { scheduleEntry } from '../schedule/schedule.ts'
import { bytes } from './bytes.ts'
import { projectName } from './names.ts'
import { stepEntry, tableEntry } from './step-schema.ts'

/** Ceilings of a run. Part of the flags of `extract` and of `options` in a pipeline. */
export const resourceOptions = z.strictObject({
  staging: bytes().optional().describe('Ceiling of the staging disk, such as 4GiB (default 4GiB)'),
  stagingFolder: z
    .string()
    .min(1)
    .optional()
    .describe('Folder for staged files (default: next to the database)'),
  memory: bytes().optional().describe("Ceiling of the engine's memory, such as 600MiB"),
  threads: z.int().min(1).max(1024).optional().describe('Threads of the engine (default: one per core)'),
  concurrency: z.int().min(1).max(1024).optional().describe('Requests in flight at most'),
})

export type ResourceOptions = z.output<typeof resourceOptions>

/** Fields of a connection that every connector has; the others are the connector's own. */
export const connectionEntry = z.looseObject({
  connector: z
    .string()
    .min(1)
    .describe('Connector: source-s3, the name of an installed package, or a path that begins with ./'),
  description: z.string().optional().describe('What the connection is for'),
  auth: z.record(z.string(), z.unknown()).optional().describe('Auth method and its fields'),
})

const loadDefaults = Object.fromEntries(
  Object.entries(loadRequest.shape).map(([field, schema]) => [field, schema.optional()]),
) as { [Field in keyof typeof loadRequest.shape]: z.ZodOptional<(typeof loadRequest.shape)[Field]> }

export const pipelineOptions = z.strictObject({ ...loadDefaults, ...resourceOptions.shape })

export const pipelineEntry = z
  .strictObject({
    description: z.string().optional().describe('What the pipeline is for'),
    connection: z.string().optional().describe('Connection of all tables that name none themselves'),
    into: z
      .string()
      .min(1)
      .optional()
      .describe('DuckDB file that the pipeline works on, relative to this file'),
    tables: z
      .array(tableEntry)
      .min(1)
      .optional()
      .describe('What to extract, and how: a pipeline of one step'),
    steps: z.array(stepEntry).min(1).optional().describe('What to do, in this order'),
    options: z
      .record(z.string(), z.unknown())
      .optional()
      .describe('Load options of all tables, and ceilings'),
    schedule: scheduleEntry.optional().describe('When `penstock serve` runs it'),
    alerts: z
      .array(alertEntry)
      .optional()
      .describe('Who is told about its runs, beside those of the project'),
  })
  .superRefine((pipeline, context) => {
    const problem = (path: (string | number)[], message: string) =>
      context.addIssue({ code: 'custom', path, message })
    const { tables, steps, into } = pipeline
    if ((tables === undefined) === (steps === undefined)) problem([], 'must have either tables or steps')
    if (into === undefined && (tables ?? steps?.some((step) => step.action === undefined)))
      problem([], 'must have into, the DuckDB file that it works on')
    const seen = new Set<string>()
    for (const [index, { id }] of (steps ?? []).entries()) {
      if (seen.has(id)) problem(['steps', index, 'id'], `must be unique: there is a step "${id}" before`)
      seen.add(id)
    }
  })

const section = <Entry extends z.ZodType>(entry: Entry) =>
  z
    .record(projectName, entry)
    .nullish()
    .transform((value) => value ?? {})

/** Structure of penstock.yaml. Fields of connectors and options are checked where their connector is known. */
export const projectFile = z.strictObject({
  connections: section(connectionEntry),
  pipelines: section(pipelineEntry),
  alerts: z
    .array(alertEntry)
    .nullish()
    .transform((value) => value ?? [])
    .describe('Who is told about the runs of all pipelines'),
})
