import { z } from 'zod'
import { loadRequest } from '../extract/request.ts'
import { bytes } from './bytes.ts'

const name = z
  .string()
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/,
    'must be 1-64 letters, digits, . _ or -, and begin with a letter or digit',
  )

/** True for a name that a connection or a pipeline may have. */
export const isProjectName = (text: string): boolean => name.safeParse(text).success

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

/** Fields of a pipeline's table that are neither load options nor the connector's selection. */
export const tableEntry = z.looseObject({
  connection: z
    .string()
    .optional()
    .describe('Connection of this table, where it is not the one of the pipeline'),
})

const loadDefaults = Object.fromEntries(
  Object.entries(loadRequest.shape).map(([field, schema]) => [field, schema.optional()]),
) as { [Field in keyof typeof loadRequest.shape]: z.ZodOptional<(typeof loadRequest.shape)[Field]> }

export const pipelineOptions = z.strictObject({ ...loadDefaults, ...resourceOptions.shape })

export const pipelineEntry = z.strictObject({
  description: z.string().optional().describe('What the pipeline is for'),
  connection: z.string().optional().describe('Connection of all tables that name none themselves'),
  into: z.string().min(1).describe('DuckDB file that the tables are loaded into, relative to this file'),
  tables: z.array(tableEntry).min(1).describe('What to extract, and how'),
  options: z.record(z.string(), z.unknown()).optional().describe('Load options of all tables, and ceilings'),
})

const section = <Entry extends z.ZodType>(entry: Entry) =>
  z
    .record(name, entry)
    .nullish()
    .transform((value) => value ?? {})

/** Structure of penstock.yaml. Fields of connectors and options are checked where their connector is known. */
export const projectFile = z.strictObject({
  connections: section(connectionEntry),
  pipelines: section(pipelineEntry),
})
