import { ConnectorError, type ErrorRecord, type RunRecord } from '@penstock/core'

/** What a step gave. */
export interface StepOutcome {
  /** What later steps can refer to. */
  readonly output: unknown
  readonly rows?: number
  /** Rows that were read and did not arrive. */
  readonly rowsLost?: number
}

/** The error that ended a run, as the one to throw; undefined when the run succeeded. */
export const errorOf = (run: {
  readonly status: RunRecord['status']
  readonly error?: ErrorRecord
}): ConnectorError | undefined => {
  if (run.status === 'succeeded') return undefined
  const error = run.error ?? { kind: 'internal' as const, message: `The run ended as ${run.status}.` }
  return new ConnectorError(error.kind, error.message, error)
}

/**
 * Plain JSON data: what can be kept in a file and read again as the same. Integers that JSON can't hold become text,
 * bytes base64, dates ISO 8601.
 */
export const plainData = (value: unknown): unknown => {
  if (typeof value === 'bigint') {
    const number = Number(value)
    return Number.isSafeInteger(number) ? number : String(value)
  }
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64')
  if (value instanceof Date) return value.toISOString()
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value)
  if (Array.isArray(value)) return value.map((entry) => plainData(entry) ?? null)
  if (typeof value !== 'object' || value === null) return typeof value === 'function' ? undefined : value
  const entries = Object.entries(value).map(([name, entry]) => [name, plainData(entry)] as const)
  return Object.fromEntries(entries.filter(([, entry]) => entry !== undefined))
}
