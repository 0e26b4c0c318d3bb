import {
  type CheckResult,
  runSuite,
  type Scorecard,
  type Suite,
  withFixture,
} from '@penstock/testkit/conformance'
import type { ConnectorPackage } from './package.ts'

/** A scorecard with where and when it came about: what `--json` prints, an element for each package. */
export interface PackageScore extends Scorecard {
  readonly package: { readonly name: string; readonly version: string }
  /** ISO 8601, UTC. */
  readonly startedAt: string
  readonly durationMs: number
  readonly node: string
}

export interface ScoreOptions {
  readonly only: readonly string[]
  readonly signal: AbortSignal
  readonly onResult: (result: CheckResult) => void
}

/** Runs the suite of a package. Throws what its fixture throws when it opens. */
export const scorePackage = async (found: ConnectorPackage, options: ScoreOptions): Promise<PackageScore> => {
  const started = new Date()
  const card = await withFixture(found.fixture, (suite) =>
    runSuite(narrowed(suite, found.definitionOnly, options.only), options),
  )
  return Object.freeze({
    ...card,
    package: { name: found.name, version: found.version },
    startedAt: started.toISOString(),
    durationMs: Date.now() - started.getTime(),
    node: process.versions.node,
  })
}

/** The checks that were asked for; without a fixture, those that need one show why they were skipped. */
const narrowed = (suite: Suite, definitionOnly: string | undefined, only: readonly string[]): Suite => ({
  ...suite,
  checks: suite.checks
    .filter(({ id }) => only.length === 0 || only.some((start) => id.startsWith(start)))
    .map((check) =>
      definitionOnly === undefined || /^(spec|actions)\//.test(check.id)
        ? check
        : { ...check, run: async ({ skip }) => skip(definitionOnly) },
    ),
})

export interface Group {
  /** What stands before the slash of its ids. */
  readonly name: string
  readonly results: readonly CheckResult[]
}

export const groupsOf = ({ results }: Scorecard): readonly Group[] => {
  const groups = new Map<string, CheckResult[]>()
  for (const result of results) {
    const name = result.id.split('/')[0] ?? ''
    groups.set(name, [...(groups.get(name) ?? []), result])
  }
  return [...groups].map(([name, own]) => ({ name, results: own }))
}

export const countOf = (results: readonly CheckResult[], status: CheckResult['status']): number =>
  results.filter((result) => result.status === status).length
