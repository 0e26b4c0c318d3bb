import { afterAll, describe, it } from 'vitest'
import { type AnyFixture, suiteOf } from './fixture.ts'
import { runCheckOf, type Suite } from './suite.ts'

/** Longest run of one check, in ms. */
const limitMs = 120_000

/** Makes a test of each check of a suite. A skipped check shows its reason. */
export const describeSuite = (suite: Suite): void => {
  describe(`${suite.kind} ${suite.connector} conforms`, () => {
    for (const check of suite.checks)
      it(
        `${check.id}: ${check.title}`,
        async (context) => {
          const result = await runCheckOf(check, context.signal)
          if (result.status === 'skipped') context.skip(result.reason)
          if (result.status === 'failed') throw new Error(result.reason)
        },
        limitMs,
      )
  })
}

/** {@link describeSuite} for a fixture: opens it now, and closes it after the tests of the file. */
export const describeFixture = async (fixture: AnyFixture): Promise<void> => {
  const { close, ...options } = await fixture.open()
  afterAll(async () => close?.())
  describeSuite(suiteOf(fixture.connector, options))
}
