import type { AnyActions } from '@penstock/core'
import { z } from 'zod'

/** What a step of each kind gives to later steps, as `${steps.ID...}` names it. */

const counts = {
  objects: z.int(),
  bytes: z.int(),
  rowsRead: z.int(),
  rowsLoaded: z.int(),
  rowsRejected: z.int(),
  rowsDeleted: z.int(),
}

export const extractOutput = z.strictObject({
  ...counts,
  tables: z.array(z.strictObject({ name: z.string(), status: z.string(), ...counts })),
})

export const sqlOutput = z.strictObject({
  statements: z.int(),
  rowsChanged: z.int(),
  /** First rows of the last SELECT, by column name. */
  rows: z.array(z.record(z.string(), z.unknown())),
})

export const exportOutput = z.strictObject({
  rows: z.int(),
  bytes: z.int(),
  files: z.array(
    z.strictObject({
      stream: z.string(),
      key: z.string(),
      url: z.string().optional(),
      rows: z.int(),
      size: z.int(),
      etag: z.string().optional(),
      checksum: z.string().optional(),
    }),
  ),
  manifest: z.string().optional(),
})

/** Facts of the run itself, as `${run...}` names them. */
export const runValues = z.strictObject({
  /** The same when the run is tried again. */
  id: z.string(),
  pipeline: z.string(),
  startedAt: z.string(),
  /** Time that the schedule asked for, else the time of the start. ISO 8601, UTC. */
  scheduledTime: z.string(),
})

/** Output of an action of a connector; undefined where it has no such action. */
export const actionOutput = (connector: AnyActions, name: string): z.ZodType | undefined =>
  Object.hasOwn(connector.actions, name) ? connector.actions[name]?.output : undefined
