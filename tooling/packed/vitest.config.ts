import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

/** Not one of the root's projects: it packs everything and installs from the registry, which takes minutes. */
export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['src/setup.ts'],
    testTimeout: 300_000,
    hookTimeout: 300_000,
    fileParallelism: false,
    reporters: ['default', '../reporter/summary.ts'],
  },
})
