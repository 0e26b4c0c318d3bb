import { ConnectorError, type ErrorKind, type ErrorPlace } from '@penstock/core'

/** What was going on when DuckDB failed: decides between "your SQL is wrong" and "this is a bug". */
export interface ErrorContext {
  readonly action: 'open' | 'query' | 'load' | 'commit'
  /** Path of the database, for messages. */
  readonly location: string
  readonly table?: string
  readonly signal?: AbortSignal | undefined
  /** Tables that the transaction claimed, as the books name them. */
  readonly claimed?: ReadonlySet<string>
}

interface Rule {
  readonly pattern: RegExp
  readonly kind: ErrorKind
  readonly code: string
  readonly message: (context: ErrorContext, match: RegExpExecArray) => string
  readonly hint?: string
  readonly actions?: readonly ErrorContext['action'][]
}

/** DuckDB's texts, most specific first. DuckDB has no error codes beyond the class at the beginning of the text. */
const rules: readonly Rule[] = [
  {
    pattern: /Could not set lock on file.*?(?:held in (.*?) ?\(PID (\d+)\)|$)/s,
    kind: 'conflict',
    code: 'DatabaseLocked',
    message: ({ location }, [, program, pid]) =>
      pid
        ? `${location} is in use by another process (PID ${pid}, ${program}).`
        : `${location} is in use by another process.`,
    hint: 'Wait until the other process ends, or load into another file. Readers can share a file among themselves, not with a writer.',
  },
  {
    pattern: /different configuration than existing connections/,
    kind: 'conflict',
    code: 'DatabaseOpen',
    message: ({ location }) => `${location} is already open in this process.`,
    hint: 'Use the engine that has it open, or close that one first.',
  },
  {
    pattern: /version number (\d+), but we can only read|storage version greater than the latest/,
    kind: 'config',
    code: 'NewerDatabase',
    message: ({ location }, [, version]) =>
      `${location} was written by a newer DuckDB${version ? ` (storage version ${version})` : ''} than the one that this version of Penstock has.`,
    hint: 'Update Penstock.',
  },
  {
    pattern: /not a valid DuckDB database file|Extension "sqlite/,
    kind: 'config',
    code: 'NotADatabase',
    message: ({ location }) => `${location} is not a DuckDB database.`,
    hint: 'Give the path of a DuckDB file, or of a file that does not exist yet.',
  },
  {
    pattern: /Corrupt database file|checksum .*does not match/,
    kind: 'data',
    code: 'CorruptDatabase',
    message: ({ location }) => `${location} is damaged: a checksum in it is wrong.`,
    hint: 'Restore it from a backup, or load the tables into a new file.',
  },
  {
    pattern: /database does not exist/,
    kind: 'not-found',
    code: 'NoDatabase',
    message: ({ location }) => `There is no database ${location}.`,
    hint: 'Check the path, or load something into it first.',
  },
  {
    pattern: /No space left on device|ENOSPC|Disk quota exceeded/,
    kind: 'resource',
    code: 'DiskFull',
    message: ({ location }) => `The disk of ${location} is full.`,
    hint: 'Free some space and run again: nothing was committed.',
  },
  {
    pattern: /max_temp_directory_size|failed to offload data block/,
    kind: 'resource',
    code: 'SpillLimit',
    message: () => 'DuckDB needs more temporary disk space than it may use.',
    hint: 'Raise maxTempBytes or memoryLimitBytes.',
  },
  {
    pattern: /^Out of Memory Error|could not allocate block|failed to allocate/i,
    kind: 'resource',
    code: 'OutOfMemory',
    message: () => 'DuckDB needs more memory than it may use.',
    hint: 'Raise memoryLimitBytes.',
  },
  {
    pattern: /Is a directory/,
    kind: 'config',
    code: 'NotADatabase',
    message: ({ location }) => `${location} is a folder, not a DuckDB database.`,
    actions: ['open'],
  },
  {
    pattern: /No such file or directory/,
    kind: 'not-found',
    code: 'NoFolder',
    message: ({ location }) => `The folder of ${location} does not exist.`,
    hint: 'Create the folder first.',
    actions: ['open'],
  },
  {
    pattern: /file system operations are disabled by configuration/,
    kind: 'permission',
    code: 'Contained',
    message: () => 'This SQL reaches for a file; it may use the tables of its database only.',
    hint: 'Load the file with an extraction, or query it with: penstock query.',
    actions: ['query'],
  },
  {
    pattern: /Permission denied|Read-only file system|Operation not permitted/,
    kind: 'permission',
    code: 'FileAccess',
    message: ({ location }) => `${location} may not be written or read by this user.`,
    hint: 'Check the permissions of the file and of its folder.',
  },
  {
    pattern: /in read-only mode|launched in read-only mode/,
    kind: 'config',
    code: 'ReadOnly',
    message: ({ action, location }) =>
      action === 'query'
        ? 'A query may not change the database.'
        : `${location} is open for reading only, so nothing can be loaded into it.`,
  },
  {
    pattern: /^Constraint Error|constraint violation: duplicate key/,
    kind: 'data',
    code: 'Constraint',
    message: ({ table, location }, { input }) =>
      `A row violates a constraint of ${table ? `table "${table}"` : location}: ${shortText(input)}`,
    hint: 'Correct the data, or drop the constraint.',
    actions: ['load', 'commit'],
  },
  {
    pattern:
      /Catalog write-write conflict|Conflict on (?:update|delete|tuple)|Failed to commit|has been altered|write-write/,
    kind: 'conflict',
    code: 'ConcurrentWrite',
    message: ({ location, table }) =>
      `Somebody else wrote to ${table ? `table "${table}"` : location} in the meantime; this load was not committed.`,
    hint: 'Run it again: it starts from what is there now.',
  },
  {
    pattern: /an index depends on it|entries that depend on it|main key table|Dependency Error/,
    kind: 'conflict',
    code: 'DependentObject',
    message: ({ table, location }, { input }) =>
      `${table ? `Table "${table}"` : `A table of ${location}`} can't be changed, because something depends on it: ${shortText(input)}`,
    hint: 'Drop the index, constraint or table that depends on it, or load into another table.',
  },
  {
    pattern:
      /^Invalid Error: .*(?:don't know what type|TProtocolException|Thrift|[Ss]nappy|ZSTD|[Dd]ecompress|[Gg]zip)/s,
    kind: 'data',
    code: 'CorruptParquet',
    message: (_context, { input }) => `A Parquet file of this query is damaged: ${shortText(input)}`,
    hint: 'Write the file anew, or leave its rows out by a filter.',
    actions: ['query'],
  },
  {
    pattern: /^FATAL Error|database has been invalidated/,
    kind: 'internal',
    code: 'DatabaseInvalidated',
    message: ({ location }, { input }) =>
      `DuckDB gave up on ${location}: ${shortText(input)} What was committed before is safe.`,
    hint: 'Close and open it again.',
  },
  {
    pattern:
      /^(?:Failed to extract statements: )?(?:Parser|Binder|Catalog|Syntax|Not implemented|Invalid Input|Permission) Error/,
    kind: 'config',
    code: 'InvalidSql',
    message: (_context, { input }) => shortText(input.replace(/^Failed to extract statements: /, ''), 2_000),
    actions: ['query'],
  },
  {
    pattern: /^(?:Conversion|Out of Range|Invalid Type|Mismatch Type|Constraint|IO|HTTP) Error/,
    kind: 'data',
    code: 'QueryFailed',
    message: (_context, { input }) => shortText(input, 2_000),
    actions: ['query'],
  },
]

const shortText = (text: string, length = 300): string =>
  text.length > length ? `${text.slice(0, length)}...` : text

/** DuckDB's own text: without what the binding puts before it, and without a stack trace, which stays in the cause. */
const messageOf = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error))
    .replace(/^Failed to extract statements: /, '')
    .replace(/\s*Stack Trace:.*$/s, '')

/** The failure of a DuckDB call in the user's terms. A ConnectorError passes through unchanged. */
export const translateError = (error: unknown, context: ErrorContext): ConnectorError => {
  if (ConnectorError.isInstance(error)) return error
  const text = messageOf(error)
  const interrupted =
    text.startsWith('INTERRUPT Error') || (error instanceof Error && error.name === 'AbortError')
  if (interrupted || (context.signal?.aborted && error === context.signal.reason))
    return cancelled(context.signal, error)
  const isClaim = context.claimed?.has(/violation: duplicate key "(.*)"/s.exec(text)?.[1] ?? '') ?? false
  const place: ErrorPlace | undefined = context.table === undefined ? undefined : { table: context.table }
  for (const { pattern, kind, code, message, hint, actions } of rules) {
    if (actions && !actions.includes(context.action)) continue
    if (code === 'Constraint' && isClaim) continue
    const match = pattern.exec(text)
    if (match)
      return new ConnectorError(kind, message(context, match), {
        code,
        cause: error,
        ...(hint !== undefined && { hint }),
        ...(place && { place }),
      })
  }
  const isDuckDB = /^[A-Z][A-Za-z ]+ Error: /.test(text)
  return new ConnectorError('internal', `${isDuckDB ? 'DuckDB: ' : ''}${shortText(text, 1_000)}`, {
    ...(isDuckDB && { code: 'DuckDB' }),
    cause: error,
    ...(place && { place }),
  })
}

/** A reason that is an error of its own (a timeout, a failed download) stays the error. */
const cancelled = (signal: AbortSignal | undefined, cause: unknown): ConnectorError =>
  ConnectorError.isInstance(signal?.reason)
    ? signal.reason
    : new ConnectorError('cancelled', 'Cancelled.', { cause })

/** Throws `cancelled`, or the signal's own reason, once the signal is aborted. */
export const throwIfCancelled = (signal: AbortSignal | undefined): void => {
  if (signal?.aborted) throw cancelled(signal, signal.reason)
}
