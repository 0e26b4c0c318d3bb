import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type DestinationOptions, runSuite, testDestination } from '../../src/conformance/index.ts'
import { describeSuite } from '../../src/conformance/vitest.ts'
import { folderDestination, folderToken, readFolder, type WriteMutation } from './folder-destination.ts'
import { describeMutants, type Mutant } from './mutants.ts'
import { definitionMutants } from './shop-client.ts'
import {
  limitedToken,
  type StoreMutation,
  startStore,
  storeDestination,
  storeToken,
} from './store-destination.ts'

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
  get large() {
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

/** Checks that see every column that is lost. */
const ofColumns = ['floats', 'not-finite', 'times', 'bytes', 'documents', 'names', 'types'].map(
  (id) => `write/${id}`,
)

const folderMutants: readonly Mutant<WriteMutation>[] = [
  { mutation: 'tells-no-rows', caughtBy: 'write/append', also: ['write/overwrite'] },
  { mutation: 'append-replaces', caughtBy: 'write/append', also: ['write/cut-off'] },
  { mutation: 'overwrite-appends', caughtBy: 'write/overwrite', also: ['write/cut-off'] },
  { mutation: 'retry-doubles', caughtBy: 'write/retry' },
  { mutation: 'visible-at-once', caughtBy: 'write/cut-off', also: ['write/cancelled'] },
  { mutation: 'clears-the-folder', caughtBy: 'write/foreign' },
  { mutation: 'forgets-the-stream', caughtBy: 'write/two-streams', also: ['write/names'] },
  { mutation: 'fails-when-empty', caughtBy: 'write/empty' },
  { mutation: 'names-as-paths', caughtBy: 'write/names' },
  { mutation: 'rounds-numbers', caughtBy: 'write/types' },
  { mutation: 'first-columns-only', caughtBy: 'write/schema-change', also: ofColumns },
  { mutation: 'mixes-runs', caughtBy: 'write/at-once' },
  { mutation: 'keeps-files', caughtBy: 'write/released', also: ['write/staging'] },
  { mutation: 'releases-at-the-end', caughtBy: 'write/staging' },
  { mutation: 'deaf', caughtBy: 'write/cancelled' },
  { mutation: 'single-precision', caughtBy: 'write/floats' },
  { mutation: 'not-a-number-is-null', caughtBy: 'write/not-finite' },
  { mutation: 'drops-the-zone', caughtBy: 'write/times' },
  { mutation: 'bytes-as-text', caughtBy: 'write/bytes' },
  { mutation: 'documents-as-text', caughtBy: 'write/documents' },
  { mutation: 'merge-appends', caughtBy: 'write/merge' },
]

const storeMutants: readonly Mutant<StoreMutation>[] = [
  { mutation: 'marks-first', caughtBy: 'write/crash' },
  { mutation: 'publishes-each-file', caughtBy: 'write/crash-whole' },
  // What a suite checks by using the connector in its own way.
  { mutation: 'unavailable-is-done', caughtBy: 'faults/unavailable' },
  { mutation: 'cut-is-done', caughtBy: 'faults/truncated-body' },
  { mutation: 'secret-in-notice', caughtBy: 'secrets/hidden' },
  { mutation: 'secret-in-error', caughtBy: 'secrets/errors' },
  { mutation: 'asks-for-more-than-its-policy', caughtBy: 'policy/least-privilege' },
]

const storeSuite = (store: Awaited<ReturnType<typeof startStore>>, mutation?: StoreMutation) =>
  testDestination(storeDestination(mutation), {
    endpoint: store.url,
    config: (url: string) => ({ url, token: storeToken }),
    wrong: [{ field: 'token', config: { url: store.url, token: 'wrong-token-12' }, kind: 'auth' }],
    formerConfigs: [{ url: 'https://store.example.com', token: 'some-token' }],
    state: async () => store.paths(),
    read: async (stream) => store.rows(stream),
    clear: async () => store.clear(),
    underPolicy: async ({ policy }) => {
      store.allow((policy as { may: string[] }).may)
      return { url: store.url, token: limitedToken }
    },
  })

// Memory is that of the whole process: its checks run alone, before the mutants, which run at once.
describe('memory', () => {
  it('is what hoards-bytes is caught by', async () => {
    const own = await newFolder()
    const { checks, ...suite } = testDestination(
      folderDestination('hoards-bytes'),
      optionsFor(() => own),
    )
    const card = await runSuite({ ...suite, checks: checks.filter(({ id }) => id.startsWith('write/')) })
    expect(card.results.filter(({ status }) => status === 'failed').map(({ id }) => id)).toEqual([
      'write/memory',
    ])
    await rm(own, { recursive: true })
  })
})

const store = await startStore()
afterAll(() => store.close())
describeSuite(storeSuite(store))

const isOfStore = (mutation: string): mutation is StoreMutation =>
  storeMutants.some((mutant) => mutant.mutation === mutation)

/** Merging takes the place of the other modes, so that the mutants of these need not do everything once more. */
const folderSuite = (folder: string, mutation?: WriteMutation, merges = mutation === 'merge-appends') => {
  const { large: _, ...options } = optionsFor(() => folder)
  return testDestination(folderDestination(mutation, merges ? ['merge'] : undefined), options)
}

it('lets a destination pass that merges alone', async () => {
  const own = await newFolder()
  const { results } = await runSuite(folderSuite(own, undefined, true))
  expect(results.filter(({ status }) => status === 'failed')).toEqual([])
  expect(results).toContainEqual(expect.objectContaining({ id: 'write/merge', status: 'passed' }))
  await rm(own, { recursive: true })
})

describeMutants(
  storeSuite(store),
  [...folderMutants, ...storeMutants],
  async (mutation) => {
    if (isOfStore(mutation)) {
      const own = await startStore()
      return { suite: storeSuite(own, mutation), close: own.close }
    }
    const own = await newFolder()
    return { suite: folderSuite(own, mutation), close: () => rm(own, { recursive: true }) }
  },
  // What all suites have from one place is run for the sources.
  [...definitionMutants, { caughtBy: 'write/memory' }],
)
