import { describe, expect, it } from 'vitest'
import { runSuite, type Suite } from '../../src/conformance/index.ts'
import { definitionMutants } from './shop-client.ts'

/** A defect, with the check that is there for it. */
export interface Mutant<Mutation extends string = string> {
  readonly mutation: Mutation
  readonly caughtBy: string
  /** Checks that see the same defect by their nature. */
  readonly also?: readonly string[]
}

/** A connector with a defect, and what ends when its suite was run. */
export interface Broken {
  readonly suite: Suite
  close(): Promise<void>
}

/**
 * Each mutant is caught by its check and by no other; each check of the suite has a mutant, here or `elsewhere`: among
 * those of all suites.
 */
export const describeMutants = <Mutation extends string>(
  sound: Suite,
  mutants: readonly Mutant<Mutation>[],
  build: (mutation: Mutation) => Promise<Broken>,
  elsewhere: readonly { readonly caughtBy: string }[] = definitionMutants,
): void => {
  describe(`the suite catches a broken ${sound.kind}`, () => {
    it.concurrent.each([...mutants])('$mutation by $caughtBy', async ({ mutation, caughtBy, also = [] }) => {
      const { suite, close } = await build(mutation)
      try {
        const card = await runSuite(suite)
        const failed = card.results.filter((result) => result.status === 'failed').map((result) => result.id)
        expect(failed).toContain(caughtBy)
        expect(failed.filter((id) => id !== caughtBy && !also.includes(id))).toEqual([])
      } finally {
        await close()
      }
    })

    it('has a mutant for every check', () => {
      const caught = new Set([...elsewhere, ...mutants].map(({ caughtBy }) => caughtBy))
      expect(sound.checks.map(({ id }) => id).filter((id) => !caught.has(id))).toEqual([])
    })
  })
}
