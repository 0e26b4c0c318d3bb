import { ConnectorError } from '@penstock/core'
import { expect, test } from 'vitest'
import { type ErrorContext, translateError } from './errors.ts'

const location = '/data/w.duckdb'

/** Texts of DuckDB 1.5, as its binding throws them. */
const cases: readonly [
  text: string,
  action: ErrorContext['action'],
  kind: string,
  code: string | undefined,
][] = [
  [
    'IO Error: Could not set lock on file "/data/w.duckdb": Conflicting lock is held in /usr/bin/node (PID 4711). See also https://duckdb.org/docs/stable/connect/concurrency',
    'open',
    'conflict',
    'DatabaseLocked',
  ],
  [
    'IO Error: Could not set lock on file "/data/w.duckdb": Resource busy',
    'open',
    'conflict',
    'DatabaseLocked',
  ],
  [
    "Connection Error: Can't open a connection to same database file with a different configuration than existing connections",
    'open',
    'conflict',
    'DatabaseOpen',
  ],
  [
    'IO Error: Trying to read a database file with version number 99, but we can only read versions between 64 and 67.',
    'open',
    'config',
    'NewerDatabase',
  ],
  [
    'IO Error: The file "x" exists, but it is not a valid DuckDB database file!',
    'open',
    'config',
    'NotADatabase',
  ],
  ['IO Error: Could not read from file "/data": Is a directory', 'open', 'config', 'NotADatabase'],
  [
    'IO Error: Cannot open database "x" in read-only mode: database does not exist',
    'open',
    'not-found',
    'NoDatabase',
  ],
  ['IO Error: Cannot open file "/no/x": No such file or directory', 'open', 'not-found', 'NoFolder'],
  ['IO Error: Cannot open file "/x": Permission denied', 'open', 'permission', 'FileAccess'],
  [
    'IO Error: Corrupt database file: computed checksum 1 does not match stored checksum 2',
    'open',
    'data',
    'CorruptDatabase',
  ],
  [
    'IO Error: Could not write file "/data/w.duckdb": No space left on device',
    'load',
    'resource',
    'DiskFull',
  ],
  [
    'FATAL Error: Failed to create checkpoint because of error: No space left on device',
    'commit',
    'resource',
    'DiskFull',
  ],
  ['ENOSPC: no space left on device, write', 'load', 'resource', 'DiskFull'],
  [
    'Out of Memory Error: could not allocate block of size 1.0 GiB (544.0 KiB/600.0 MiB used)',
    'load',
    'resource',
    'OutOfMemory',
  ],
  [
    "Out of Memory Error: failed to offload data block of size 256.0 KiB (1.0 MiB/1.0 MiB used). This limit was set by the 'max_temp_directory_size' setting.",
    'load',
    'resource',
    'SpillLimit',
  ],
  ['TransactionContext Error: Conflict on update!', 'load', 'conflict', 'ConcurrentWrite'],
  [
    'TransactionContext Error: Catalog write-write conflict on create with "t"',
    'load',
    'conflict',
    'ConcurrentWrite',
  ],
  [
    'TransactionContext Error: Failed to commit: PRIMARY KEY or UNIQUE constraint violation: duplicate key "t"',
    'commit',
    'conflict',
    'ConcurrentWrite',
  ],
  [
    'TransactionContext Error: Failed to commit: PRIMARY KEY or UNIQUE constraint violation: duplicate key "17"',
    'commit',
    'data',
    'Constraint',
  ],
  ['Constraint Error: NOT NULL constraint failed: t.a', 'load', 'data', 'Constraint'],
  [
    'Dependency Error: Cannot alter entry "t" because there are entries that depend on it.',
    'load',
    'conflict',
    'DependentObject',
  ],
  ['Parser Error: syntax error at or near "x"', 'query', 'config', 'InvalidSql'],
  ['Failed to extract statements: Parser Error: syntax error', 'query', 'config', 'InvalidSql'],
  ["Conversion Error: Could not convert string 'a' to INT32", 'query', 'data', 'QueryFailed'],
  ['Binder Error: a bug of ours', 'load', 'internal', 'DuckDB'],
  [
    'INTERNAL Error: assertion failed\n\nStack Trace:\n\n/usr/lib/libduckdb.so(+0x1)',
    'query',
    'internal',
    'DuckDB',
  ],
  ['undefined is not a function', 'load', 'internal', undefined],
]

test.each(cases)('%s (%s): %s', (text, action, kind, code) => {
  const cause = new Error(text)
  const error = translateError(cause, { action, location, claimed: new Set(['t']) })
  expect(error).toMatchObject({ kind, code, cause })
  expect(error.message).not.toContain('Stack Trace')
})

test('a lock names the process that holds it', () => {
  const [text] = cases[0] ?? ['']
  expect(translateError(new Error(text), { action: 'open', location }).message).toBe(
    '/data/w.duckdb is in use by another process (PID 4711, /usr/bin/node).',
  )
})

test('an interrupt is a cancellation, or the reason of the signal', () => {
  const interrupt = new Error('INTERRUPT Error: Interrupted!')
  const plain = AbortSignal.abort()
  expect(translateError(interrupt, { action: 'load', location, signal: plain })).toMatchObject({
    kind: 'cancelled',
  })
  expect(translateError(plain.reason, { action: 'load', location, signal: plain })).toMatchObject({
    kind: 'cancelled',
  })
  const reason = new ConnectorError('network', 'the download broke off')
  const withReason = AbortSignal.abort(reason)
  expect(translateError(interrupt, { action: 'load', location, signal: withReason })).toBe(reason)
})
