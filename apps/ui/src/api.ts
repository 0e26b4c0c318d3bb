/**
 * What the page and its server say to each other, as JSON. The page is built without Node's types, so nothing is
 * imported here.
 */

export interface ApiError {
  readonly kind: string
  readonly message: string
  readonly hint?: string
  readonly code?: string
  readonly place?: {
    readonly object?: string
    readonly table?: string
    readonly line?: number
    readonly column?: string
    readonly value?: string
  }
}

/** Body of an answer that is no success. */
export interface ApiFailure {
  readonly error: ApiError
  /** Of a form: what is wrong with each field. */
  readonly problems?: readonly FieldProblem[]
}

export interface FieldProblem {
  readonly path: readonly (string | number)[]
  readonly message: string
}

/** JSON Schema, the parts that a form is made of. */
export interface Schema {
  readonly type?: string
  readonly title?: string
  readonly description?: string
  readonly default?: unknown
  readonly examples?: readonly unknown[]
  readonly enum?: readonly unknown[]
  readonly const?: unknown
  readonly secret?: boolean
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly items?: Schema
  readonly additionalProperties?: Schema | boolean
  readonly anyOf?: readonly Schema[]
  readonly oneOf?: readonly Schema[]
}

export type ConnectorKind = 'source' | 'destination' | 'zero-copy' | 'actions'

export interface AuthForm {
  readonly id: string
  readonly title: string
  readonly description?: string
  readonly recommended?: boolean
  readonly schema: Schema
  /** The external id of a role is made at the first save when the field is empty. */
  readonly makesExternalId: boolean
}

/** A connector that connections can be made of. */
export interface ConnectorInfo {
  readonly reference: string
  readonly name: string
  readonly title: string
  readonly description?: string
  readonly kind: ConnectorKind
  readonly origin: 'built-in' | 'installed' | 'user'
  readonly error?: ApiError
}

export interface ConnectorForm extends ConnectorInfo {
  readonly config: Schema
  readonly auth: readonly AuthForm[]
  /** Of a source: what chooses tables that its list does not name, and the options of a load. */
  readonly selection?: Schema
  readonly load?: Schema
  /** Load modes of a source. */
  readonly modes: readonly string[]
  /** Of a zero-copy connector: whether a connection can be limited to chosen tables. */
  readonly canShare: boolean
}

export interface ConnectionInfo {
  readonly name: string
  readonly connector: string
  readonly kind?: ConnectorKind
  readonly title?: string
  readonly description?: string
  readonly auth?: string
  /** Fields that are no secrets. */
  readonly fields: Readonly<Record<string, unknown>>
  readonly valid: boolean
  readonly error?: ApiError
}

/** A connection as its form edits it. A secret is a reference, never its text. */
export interface ConnectionDraft {
  readonly connector: string
  readonly description?: string
  readonly fields: Readonly<Record<string, unknown>>
  readonly auth?: Readonly<Record<string, unknown>>
}

/** Value of a secret field that was typed into the form. The server keeps it in a file that git ignores. */
export interface TypedSecret {
  readonly typed: string
}

export interface SavedConnection {
  readonly name: string
  readonly created: boolean
  /** The external id that was made. */
  readonly externalId?: string
  /** Trust policy of the role, to paste into AWS. */
  readonly trust?: unknown
}

export interface PipelineInfo {
  readonly name: string
  readonly description?: string
  readonly into?: string
  readonly schedule?: string
  readonly steps: readonly { readonly id: string; readonly kind: string }[]
  readonly last?: PipelineRunInfo
}

export interface PipelineRunInfo {
  readonly runId: string
  readonly status: RunStatus
  readonly startedAt: string
  readonly durationMs?: number
}

export interface ProjectInfo {
  readonly name: string
  readonly file: string
  readonly version: string
  readonly connections: readonly ConnectionInfo[]
  readonly pipelines: readonly PipelineInfo[]
  /** DuckDB files in the folder of the project. */
  readonly databases: readonly string[]
}

export interface CheckStep {
  readonly id: string
  readonly title: string
  readonly status: 'passed' | 'failed' | 'skipped'
  readonly detail?: string
  readonly error?: ApiError
}

/** One line of the answer to a check: a step, or how it ended. */
export type CheckLine =
  | { readonly step: CheckStep }
  | { readonly done: 'passed' | 'failed' }
  | { readonly error: ApiError }

export interface Policies {
  readonly policy?: unknown
  readonly trust?: unknown
}

/** What a source offers. */
export interface TableEntry {
  readonly name: string
  readonly description?: string
  readonly selection?: Readonly<Record<string, unknown>>
  readonly format?: string
  readonly objects?: number
  readonly bytes?: number
}

export interface NamespaceEntry {
  readonly namespace: readonly string[]
  /** The levels joined, as the command line writes them. */
  readonly label: string
  readonly description?: string
  readonly shared: boolean
}

export interface CatalogEntry {
  readonly namespace: readonly string[]
  readonly name: string
  readonly label: string
  readonly description?: string
  readonly format?: string
  readonly unsupported?: string
  readonly shared: boolean
}

export interface CatalogListing {
  readonly tables: readonly CatalogEntry[]
  /** True when the connection is limited to chosen tables. */
  readonly limited: boolean
}

/** The first rows of a table: cells as text, null for null. */
export interface PreviewTable {
  readonly name: string
  readonly columns: readonly { readonly name: string; readonly type: string; readonly numeric: boolean }[]
  readonly rows: readonly (readonly (string | null)[])[]
  readonly more: boolean
  readonly note?: string
}

/** A load to plan or to start. */
export interface LoadDraft {
  readonly connection: string
  /** Selections, with options of their own. */
  readonly tables: readonly Readonly<Record<string, unknown>>[]
  /** Options of all tables. */
  readonly options: Readonly<Record<string, unknown>>
  /** DuckDB file, relative to the folder of the project. */
  readonly into: string
}

export interface PlanInfo {
  readonly tables: readonly {
    readonly name: string
    readonly mode: string
    readonly toLoad: { readonly objects: number; readonly bytes: number }
    readonly listed: { readonly objects: number; readonly bytes: number }
    readonly unchanged: { readonly objects: number; readonly bytes: number }
    readonly rowsBefore?: number
    readonly requests: number
    readonly columns: readonly { readonly name: string; readonly type: string; readonly because?: string }[]
    readonly changes: readonly string[]
  }[]
}

export type RunStatus = 'running' | 'succeeded' | 'failed' | 'cancelled' | 'interrupted'

export interface RunTotals {
  readonly objects: number
  readonly bytes: number
  readonly rows: number
  readonly rowsRejected: number
}

/** A run for a list and for plots. */
export interface RunInfo {
  readonly runId: string
  readonly status: RunStatus
  readonly command: string
  readonly connection?: string
  readonly connector: string
  readonly pipeline?: string
  readonly startedAt: string
  readonly durationMs?: number
  /** Names of its tables and streams. */
  readonly names: readonly string[]
  readonly totals: RunTotals
  readonly error?: ApiError
}

/** One table, or one stream of an export, of a run. */
export interface RunPart {
  readonly name: string
  readonly mode: string
  readonly status: string
  readonly objects: number
  readonly bytes: number
  readonly rows: number
  readonly rejected: number
  readonly durationMs: number
  readonly columns: readonly { readonly name: string; readonly type: string }[]
  readonly rejectTable?: string
  readonly error?: ApiError
}

export interface RunDetail extends RunInfo {
  readonly parts: readonly RunPart[]
}

/** A run that this server has started, as it is now. */
export interface LiveRun {
  readonly id: string
  readonly title: string
  readonly connection?: string
  readonly pipeline?: string
  readonly into?: string
  readonly status: RunStatus
  readonly cancelling: boolean
  readonly startedAt: string
  readonly finishedAt?: string
  readonly tables: readonly LiveTable[]
  readonly steps: readonly LiveStep[]
  readonly notices: readonly string[]
  /** What was done, once it is over; each record is in the history, too. */
  readonly records: readonly RunDetail[]
  readonly error?: ApiError
}

export interface LiveTable {
  readonly name: string
  readonly phase: 'waiting' | 'listing' | 'loading' | 'writing' | 'finished'
  readonly plannedObjects?: number
  readonly plannedBytes?: number
  readonly objects: number
  readonly bytes: number
  readonly rows: number
  readonly rejected: number
  readonly retries: number
  /** Bytes a second. */
  readonly rate?: number
  readonly remainingMs?: number
}

export interface LiveStep {
  readonly id: string
  readonly kind: string
  readonly status: string
  readonly rows?: number
  readonly startedAt?: string
  readonly finishedAt?: string
  readonly error?: ApiError
}
