import type { Reporter, TestModule } from 'vitest/node'

/** Says at the end what was not tested and why, once for each reason. */
export default class SkipReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const skipped = new Map<string, number>()
    for (const module of modules)
      for (const test of module.children.allTests('skipped')) {
        const result = test.result()
        const reason = (result.state === 'skipped' && result.note) || 'no reason given'
        skipped.set(reason, (skipped.get(reason) ?? 0) + 1)
      }
    for (const [reason, tests] of skipped) process.stdout.write(`\nskipped ${tests}: ${reason}`)
    if (skipped.size > 0) process.stdout.write('\n')
  }
}
