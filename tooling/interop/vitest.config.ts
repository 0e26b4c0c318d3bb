import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

const conditions = ['penstock:source', 'node']

/** Not one of the root's projects: it needs peers that not every machine has, and starts big ones. */
export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    include: ['test/**/*.test.ts'],
    env: { NO_COLOR: '1' },
    testTimeout: 120_000,
    hookTimeout: 180_000,
    // One big peer at a time.
    fileParallelism: false,
    reporters: ['default', './src/skip-reporter.ts', '../reporter/summary.ts'],
  },
})
