import { defineProject } from 'vitest/config'

/** Every package tests its neighbours' TypeScript sources, so that no build is needed before a test. */
const conditions = ['penstock:source', 'node']

/**
 * Many tests wait for a server's silence or a process: one worker less than cores, the default, leaves cores idle.
 * Each project has to say it: what the root says is not passed on.
 */
export const maxWorkers = '100%'

interface ProjectOptions {
  /** Files share the modules that they import, which saves a quarter of the time of many small files (default false). */
  readonly sharesModules?: boolean
}

/** The vitest configuration that all packages share. */
export const packageProject = ({ sharesModules = false }: ProjectOptions = {}) =>
  defineProject({
    resolve: { conditions },
    ssr: { resolve: { conditions } },
    test: {
      include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
      env: { NO_COLOR: '1' },
      testTimeout: 30_000,
      hookTimeout: 30_000,
      isolate: !sharesModules,
      maxWorkers,
    },
  })
