import { defineConfig } from 'vitest/config'
import { maxWorkers } from './tooling/vitest/project.ts'

export default defineConfig({
  test: {
    projects: [
      'packages/*/vitest.config.ts',
      'apps/*/vitest.config.ts',
      'tooling/*/vitest.config.ts',
      '!tooling/interop/vitest.config.ts',
      '!tooling/packed/vitest.config.ts',
    ],
    maxWorkers,
    reporters: ['default', './tooling/reporter/summary.ts'],
    coverage: {
      provider: 'v8',
      include: ['packages/*/src/**', 'apps/*/src/**'],
      reporter: ['text-summary', 'html'],
    },
  },
})
