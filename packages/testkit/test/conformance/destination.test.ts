import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type DestinationOptions, runSuite, testDestination } from '../../src/conformance/index.ts'
import { describeSuite } from '../../src/conformance/vitest.ts'
import { folderDestination, folderToken, readFolder, type WriteMutation } from './folder-destination.ts'

let path: string
beforeAll(async () => {
  path = await newFolder()
})
afterAll(() => rm(path, { recursive: true }))

const newFolder = async () => {
  const folder = await mkdtemp(join(tmpdir(), 'penstock-conformance-test-'))
  await writeFile(join(folder, 'foreign.txt'), 'not ours')
  return folder
}

const optionsFor = (folder: () => string): DestinationOptions => ({
  get config() {
    return { path: folder(), token: folderToken }
  },
  get wrong() {
    return [{ field: 'token', config: { path: folder(), token: 'wrong-token-12' }, kind: 'auth' as const }]
  },
  formerConfigs: [{ path: '/exports', token: 'some-token' }],
  state: () => readdir(folder(), { recursive: true }),
  read: (stream) => readFolder(folder(), stream),
  clear: async () => {
    for (const name of await readdir(folder()))
      if (name !== 'foreign.txt') await rm(join(folder(), name), { recursive: true })
  },
  foreign: () => readFile(join(folder(), 'foreign.txt'), 'utf8').catch(() => 'gone'),
})

describeSuite(
  testDestination(
    folderDestination(),
    optionsFor(() => path),
  ),
)

/** Each mutant with the check that is there for it; `also` are checks that see the same defect by their nature. */
const mutants: readonly { mutation: WriteMutation; caughtBy: string; also?: readonly string[] }[] = [
  { mutation: 'append-replaces', caughtBy: 'write/append', also: ['write/cut-off'] },
  { mutation: 'overwrite-appends', caughtBy: 'write/overwrite', also: ['write/cut-off'] },
  { mutation: 'retry-doubles', caughtBy: 'write/retry' },
  { mutation: 'visible-at-once', caughtBy: 'write/cut-off', also: ['write/cancelled'] },
  { mutation: 'clears-the-folder', caughtBy: 'write/foreign' },
  { mutation: 'forgets-the-stream', caughtBy: 'write/two-streams', also: ['write/names'] },
  { mutation: 'fails-when-empty', caughtBy: 'write/empty' },
  { mutation: 'names-as-paths', caughtBy: 'write/names' },
  { mutation: 'rounds-numbers', caughtBy: 'write/types' },
  { mutation: 'first-columns-only', caughtBy: 'write/schema-change', also: ['write/names', 'write/types'] },
  { mutation: 'mixes-runs', caughtBy: 'write/at-once' },
  { mutation: 'keeps-files', caughtBy: 'write/released' },
  { mutation: 'deaf', caughtBy: 'write/cancelled' },
]

describe('the suite catches a broken destination', () => {
  it.concurrent.each(mutants)('$mutation by $caughtBy', async ({ mutation, caughtBy, also = [] }) => {
    const own = await newFolder()
    try {
      const card = await runSuite(
        testDestination(
          folderDestination(mutation),
          optionsFor(() => own),
        ),
      )
      const failed = card.results.filter((result) => result.status === 'failed')
      expect(failed.map(({ id }) => id)).toContain(caughtBy)
      expect(failed.filter(({ id }) => id !== caughtBy && !also.includes(id))).toEqual([])
    } finally {
      await rm(own, { recursive: true })
    }
  })
})
