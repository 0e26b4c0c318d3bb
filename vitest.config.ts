import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    projects: [
      'packages/*/vitest.config.ts',
      'apps/*/vitest.config.ts',
      'tooling/*/vitest.config.ts',
      '!tooling/interop/vitest.config.ts',
    ],
    // Many tests wait for a server's silence or a process: one worker less than cores, the default, leaves them idle.
    maxWorkers: '100%',
    reporters: ['default', './tooling/reporter/summary.ts'],
    coverage: {
      provider: 'v8',
      include: ['packages/*/src/**', 'apps/*/src/**'],
      reporter: ['text-summary', 'html'],
    },
  },
})
