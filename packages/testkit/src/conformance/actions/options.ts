import type { AnyActions, ErrorKind, MaybePromise } from '@penstock/core'
import type { ConformanceOptions } from '../options.ts'

/** One way to use an action, that works. */
export interface ActionRun {
  /** Name of the action. */
  readonly action: string
  /** What it is run with; as a function, after what it needs was put in place. */
  readonly input: unknown | (() => MaybePromise<unknown>)
  /** What it gives, to the letter; default: not compared. */
  readonly output?: unknown
  /** The part of its output that is the same each time: without times and signatures. Default: all of it. */
  readonly stable?: (output: unknown) => unknown
  /** Input of the same run, with the field that makes it tell what it would do. */
  readonly dryRun?: unknown | (() => MaybePromise<unknown>)
  /** Inputs with something wrong each, and how it has to be told. */
  readonly wrong?: readonly {
    readonly field: string
    readonly input: unknown
    readonly kind: ErrorKind
  }[]
  /** Bytes for an input that says `-`. */
  readonly stdin?: string | Uint8Array
}

/** What the suite has to know of actions. */
export interface ActionsOptions<Connector extends AnyActions = AnyActions>
  extends ConformanceOptions<Connector> {
  /** At least one for each action; an action without one has a skipped check. */
  readonly runs: readonly ActionRun[]
  /** Puts the other side, and what is local, into the state that the runs start from; called before each. */
  readonly reset?: () => MaybePromise<void>
}
