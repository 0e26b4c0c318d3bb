import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { defineFixture } from '@penstock/testkit/conformance'
import destination from '../src/index.ts'

/** What the conformance suite has to know: a folder, how to read it, and what is wrong. */
export default defineFixture(destination, async () => {
  const home = await mkdtemp(join(tmpdir(), 'acme-'))
  const folder = join(home, 'exports')
  await mkdir(folder)
  await writeFile(join(folder, 'theirs.txt'), 'not ours')
  return {
    close: () => rm(home, { recursive: true }),
    config: { folder },
    large: { folder },
    wrong: [
      { field: 'folder', config: { folder: join(home, 'nowhere') }, kind: 'not-found' },
      { field: 'folder', config: { folder: join(folder, 'theirs.txt') }, kind: 'config' },
    ],
    // Add what each release accepted: it has to be accepted for ever.
    formerConfigs: [{ folder: '/srv/acme' }],
    exportOptions: { fileType: 'ndjson' },
    state: () => readdir(home, { recursive: true }),
    read: (stream) => rowsOf(folder, stream),
    clear: async () => {
      for (const name of await readdir(folder))
        if (name !== 'theirs.txt') await rm(join(folder, name), { recursive: true })
    },
    foreign: () => readFile(join(folder, 'theirs.txt'), 'utf8').catch(() => 'gone'),
  }
})

type Row = Readonly<Record<string, string | null>>

/** Rows of a stream as a reader of the folder sees them. */
const rowsOf = async (folder: string, stream: string): Promise<readonly Row[]> => {
  const isOf = (path: string) => {
    const [, run = '', name = ''] = path.split('/')
    return (
      !run.startsWith('.') && name.replace(/_\d+\.ndjson$/, '') === encodeURIComponent(stream).slice(0, 200)
    )
  }
  const paths = (await readdir(folder, { recursive: true })).filter(isOf).sort()
  const texts = await Promise.all(paths.map((path) => readFile(join(folder, path), 'utf8')))
  const lines = texts.flatMap((text) => text.split('\n').filter((line) => line !== ''))
  return lines.map((line) => JSON.parse(line, textValue) as Row)
}

/** Values as text, numbers with all their digits. */
const textValue = (_: string, value: unknown, { source }: { source?: string } = {}): unknown => {
  if (typeof value === 'number') return source ?? String(value)
  return typeof value === 'boolean' ? String(value) : value
}
