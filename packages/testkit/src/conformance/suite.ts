import type { ConnectorKind } from '@penstock/core'

/** One thing that a connector has to get right. `run` throws where it does not hold. */
export interface Check {
  /** Stable: `read/full-twice`. Part of scorecards and of the option `skip`. */
  readonly id: string
  /** What holds, as a sentence without a full stop. */
  readonly title: string
  run(context: CheckContext): Promise<void>
}

export interface CheckContext {
  readonly signal: AbortSignal
  /** Ends the check as skipped. */
  readonly skip: (reason: string) => never
}

/** The checks of one connector, in the order in which they run. */
export interface Suite {
  readonly connector: string
  readonly kind: ConnectorKind
  readonly checks: readonly Check[]
}

export interface CheckResult {
  readonly id: string
  readonly title: string
  readonly status: 'passed' | 'failed' | 'skipped'
  /** Why it failed or was skipped. */
  readonly reason?: string
  readonly durationMs: number
}

/** What a connector got right: plain data, part of `--json` and of published scorecards. */
export interface Scorecard {
  readonly specificationVersion: 1
  readonly connector: string
  readonly kind: ConnectorKind
  readonly results: readonly CheckResult[]
  readonly passed: number
  readonly failed: number
  readonly skipped: number
}

class Skipped extends Error {}

/** Runs one check. Never throws: what a check throws is its result. */
export const runCheckOf = async (check: Check, signal: AbortSignal): Promise<CheckResult> => {
  const started = performance.now()
  const result = (status: CheckResult['status'], reason?: string): CheckResult => ({
    id: check.id,
    title: check.title,
    status,
    ...(reason === undefined ? {} : { reason }),
    durationMs: Math.round(performance.now() - started),
  })
  try {
    await check.run({
      signal,
      skip: (reason) => {
        throw new Skipped(reason)
      },
    })
    return result('passed')
  } catch (error) {
    if (error instanceof Skipped) return result('skipped', error.message)
    return result('failed', error instanceof Error ? error.message : String(error))
  }
}

/** Runs all checks one after the other. */
export const runSuite = async (
  suite: Suite,
  options: { readonly signal?: AbortSignal; readonly onResult?: (result: CheckResult) => void } = {},
): Promise<Scorecard> => {
  const signal = options.signal ?? new AbortController().signal
  const results: CheckResult[] = []
  for (const check of suite.checks) {
    signal.throwIfAborted()
    const result = await runCheckOf(check, signal)
    results.push(result)
    options.onResult?.(result)
  }
  const count = (status: CheckResult['status']) => results.filter((result) => result.status === status).length
  return Object.freeze({
    specificationVersion: 1,
    connector: suite.connector,
    kind: suite.kind,
    results,
    passed: count('passed'),
    failed: count('failed'),
    skipped: count('skipped'),
  })
}
