import type { AnyDestination, ConnectionInput } from '@penstock/core'
import type { ConformanceOptions } from '../options.ts'

export type Row = Readonly<Record<string, unknown>>

/** What the suite has to know of a destination. */
export interface DestinationOptions<Connector extends AnyDestination = AnyDestination>
  extends ConformanceOptions<Connector> {
  /** Options of an export, as the connector's `options` schema takes them; files have to be CSV or NDJSON. */
  readonly exportOptions?: unknown
  /**
   * Rows of a stream that are on the other side now, as its consumers see them: values as texts, null as null. Only
   * what the connector wrote.
   */
  readonly read: (stream: string) => Promise<readonly Row[]>
  /** Removes everything that the connector wrote, before each check. */
  readonly clear: () => Promise<void>
  /** What others have on the other side: no write may change it. */
  readonly foreign?: () => Promise<unknown>
  /**
   * A place for 64 MiB that keeps nothing of them in the memory of this process, which is measured: another process, a
   * disk.
   */
  readonly large?: ConnectionInput<Connector>
  /** A second configuration for the same place, where one can't be used by two writers at once. */
  readonly second?: ConnectionInput<Connector>
}
