import { z } from 'zod'
import { exportMode, streamRequest } from '../export/request.ts'
import { duration } from './duration.ts'

/** Fields of a pipeline's table that are neither load options nor the connector's selection. */
export const tableEntry = z.looseObject({
  connection: z
    .string()
    .optional()
    .describe('Connection of this table, where it is not the one of the pipeline'),
})

export const stepKinds = ['extract', 'sql', 'export', 'action'] as const
export type StepKind = (typeof stepKinds)[number]

const stepId = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/, 'must be 1-64 letters, digits, _ or -')

const stepIds = z
  .union([stepId, z.array(stepId).min(1)])
  .transform((ids) => (Array.isArray(ids) ? ids : [ids]))

/** Longest pause between two tries that can be asked for. */
const day = 86_400_000

const extractStep = z.strictObject({
  connection: z.string().optional().describe('Connection of all tables that name none themselves'),
  tables: z.array(tableEntry).min(1).describe('What to extract, and how'),
})

const actionStep = z.strictObject({
  connection: z.string().describe('Connection of an actions connector'),
  name: z.string().min(1).describe('Name of the action, such as copy'),
  input: z.record(z.string(), z.unknown()).default({}).describe('Input of the action'),
})

/** Fields of an export that are not options of its destination. */
const exportStep = z.looseObject({
  connection: z.string().describe('Connection of a destination'),
  name: z
    .string()
    .min(1)
    .optional()
    .describe(
      'Name of the export: cursors and what an overwrite replaces belong to it (default: PIPELINE.ID)',
    ),
  mode: exportMode.optional(),
  streams: z.array(streamRequest).min(1).describe('Tables and queries to export'),
})

/** An entry of `steps` of a pipeline. */
export const stepEntry = z
  .strictObject({
    id: stepId.describe('Name of the step, unique in its pipeline: later steps refer to it'),
    description: z.string().optional().describe('What the step is for'),
    extract: extractStep.optional().describe('Loads tables from a source into the database'),
    sql: z
      .union([z.string().min(1), z.array(z.string().min(1)).min(1)])
      .optional()
      .describe('SQL statements on the database, all of them in one transaction'),
    export: exportStep.optional().describe('Writes tables or queries to a destination'),
    action: actionStep.optional().describe('Calls an action of a connection'),
    if: z
      .union([
        z.enum(['success', 'failure', 'always']),
        z.strictObject({ success: stepIds }),
        z.strictObject({ failure: stepIds }),
      ])
      .default('success')
      .describe(
        'When the step runs: success (no step before it failed), failure (one did), always, or after the success or failure of named steps',
      ),
    retries: z
      .union([
        z.int().min(0).max(20),
        z.strictObject({
          count: z.int().min(0).max(20).describe('Tries after the first one'),
          delay: duration()
            .refine((delay) => delay <= day, 'must be at most 1d')
            .default(10_000)
            .describe('Pause before each of them (default 10s)'),
        }),
      ])
      .default(0)
      .transform((retries) => (typeof retries === 'number' ? { count: retries, delay: 10_000 } : retries))
      .describe('Further tries after a failure: a count, or count and delay'),
    timeout: duration().optional().describe('Time for one try'),
    continueOnError: z
      .boolean()
      .default(false)
      .describe('The failure of this step neither fails the run nor stops it'),
  })
  .superRefine((step, context) => {
    const given = stepKinds.filter((kind) => step[kind] !== undefined)
    if (given.length === 1) return
    const message =
      given.length === 0
        ? `must have one of ${stepKinds.join(', ')}`
        : `must have one of ${stepKinds.join(', ')}, and has ${given.join(' and ')}`
    context.addIssue({ code: 'custom', message })
  })

export type StepEntry = z.output<typeof stepEntry>
export type StepCondition = StepEntry['if']
