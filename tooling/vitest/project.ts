import { defineProject } from 'vitest/config'

/** Every package tests its neighbours' TypeScript sources, so that no build is needed before a test. */
const conditions = ['penstock:source', 'node', 'import', 'default']

/** The vitest configuration that all packages share. */
export const packageProject = () =>
  defineProject({
    resolve: { conditions },
    ssr: { resolve: { conditions } },
    test: {
      include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
      env: { NO_COLOR: '1' },
      testTimeout: 30_000,
      hookTimeout: 30_000,
    },
  })
