import { copyFile, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  ConnectorError,
  defineDestination,
  type ExportFile,
  type ExportMode,
  type ExportStream,
  secret,
  type WrittenFile,
} from '@penstock/core'
import { z } from 'zod'

/** What can be wrong with the destination: each is what one check is there for. */
export type WriteMutation =
  | 'append-replaces'
  | 'tells-no-rows'
  | 'overwrite-appends'
  | 'retry-doubles'
  | 'visible-at-once'
  | 'clears-the-folder'
  | 'forgets-the-stream'
  | 'fails-when-empty'
  | 'names-as-paths'
  | 'rounds-numbers'
  | 'first-columns-only'
  | 'mixes-runs'
  | 'keeps-files'
  | 'deaf'
  | 'releases-at-the-end'
  | 'hoards-bytes'
  | 'single-precision'
  | 'not-a-number-is-null'
  | 'drops-the-zone'
  | 'bytes-as-text'
  | 'documents-as-text'
  | 'merge-appends'

/** What a mutant makes of a value in a file. */
const spoilt: Partial<Record<WriteMutation, (value: unknown) => unknown>> = {
  'single-precision': (value) =>
    typeof value === 'number' && !Number.isInteger(value) ? Math.fround(value) : value,
  'not-a-number-is-null': (value) => (/^(nan|-?inf)$/.test(String(value)) ? null : value),
  'drops-the-zone': (value) =>
    typeof value === 'string' ? value.replace(/(T\d\d:\d\d:\d\d\.\d+)Z$/, '$1') : value,
  'bytes-as-text': (value) =>
    typeof value === 'string' && /^[A-Za-z0-9+/]{8,}==$/.test(value)
      ? Buffer.from(value, 'base64').toString()
      : value,
  'documents-as-text': (value) =>
    typeof value === 'object' && value !== null ? JSON.stringify(JSON.stringify(value)) : value,
}

const token = 'folder-token-31ff'
export const folderToken = token

const folderOf = (path: string, stream: string) => join(path, encodeURIComponent(stream).slice(0, 200))

/** Rows of a stream as a consumer of the folder sees them: values as texts, with the digits that are there. */
export const readFolder = async (path: string, stream: string): Promise<Record<string, string | null>[]> => {
  const folder = folderOf(path, stream)
  const names = (await readdir(folder).catch(() => [])).filter((name) => name.endsWith('.ndjson'))
  const texts = await Promise.all(names.sort().map((name) => readFile(join(folder, name), 'utf8')))
  const lines = texts.flatMap((text) => text.split('\n').filter((line) => line !== ''))
  return lines.map((line) => JSON.parse(line, textValue) as Record<string, string | null>)
}

const textValue = (_: string, value: unknown, { source }: { source?: string } = {}): unknown => {
  if (typeof value === 'number') return source ?? String(value)
  return typeof value === 'boolean' ? String(value) : value
}

/** A folder of NDJSON files: a run's files appear together at its end, under names of its commit id. */
export const folderDestination = (
  mutation?: WriteMutation,
  modes: readonly ExportMode[] = ['append', 'overwrite'],
) => {
  const is = (name: WriteMutation) => mutation === name
  let columns: string | undefined
  let tries = 0
  const kept: ExportFile[] = []
  const hoard: Buffer[] = []
  let shared = ''

  return defineDestination({
    name: 'destination-folder',
    config: z.strictObject({ path: z.string().describe('Folder'), token: secret().describe('Token') }),
    capabilities: { modes, fileTypes: ['ndjson'] },
    async check({ config }) {
      if (config.token.reveal() !== token)
        throw new ConnectorError('auth', 'The folder refuses the token.', { hint: 'Give the right token.' })
      await readdir(config.path)
    },
    async write({ config, signal }, { run, streams }) {
      const commit = is('retry-doubles') ? `${run.commitId}-${++tries}` : run.commitId
      shared = commit
      const lock = join(config.path, '.lock')
      if (!is('mixes-runs')) await takeLock(lock)
      const staged: { from: string; to: string }[] = []
      const files: WrittenFile[] = []
      try {
        if (is('visible-at-once')) await removeFiles(config.path, streams, commit)
        for (const stream of streams) {
          const folder = is('names-as-paths')
            ? join(config.path, stream.name)
            : folderOf(config.path, is('forgets-the-stream') ? 'orders' : stream.name)
          await mkdir(folder, { recursive: true })
          for await (const file of stream.files({ format: { type: 'ndjson', compression: 'none' } })) {
            if (!is('deaf')) signal.throwIfAborted()
            if (is('fails-when-empty') && file.rows === 0) throw new Error('No rows')
            const name = `${is('mixes-runs') ? shared : commit}-${stream.name.length}-${file.part}.ndjson`
            const to = join(folder, name)
            const from = is('visible-at-once') ? to : join(folder, `${name}.part`)
            staged.push({ from, to })
            const rows = is('tells-no-rows') ? 0 : file.rows
            files.push({ stream: stream.name, name: to, rows, size: file.size })
            await take(file, from)
          }
        }
        if (is('clears-the-folder')) await rm(join(config.path, 'foreign.txt'), { force: true })
        await publish(config.path, streams, commit, run.mode)
        return { files }
      } catch (error) {
        if (!is('visible-at-once')) for (const { from } of staged) await rm(from, { force: true })
        throw error
      } finally {
        for (const file of kept.splice(0)) await file.release()
        await rm(lock, { recursive: true, force: true })
      }

      async function publish(path: string, all: readonly ExportStream[], id: string, mode: string) {
        const replaces = is('append-replaces') || (mode === 'overwrite' && !is('overwrite-appends'))
        await removeFiles(path, all, replaces ? undefined : id, staged)
        if (mode === 'merge' && !is('merge-appends')) await removeRows(path, all, staged)
        for (const { from, to } of staged) if (from !== to) await rename(from, to)
      }
    },
  })

  async function take(file: ExportFile, path: string): Promise<void> {
    const spoil = mutation && spoilt[mutation]
    if (is('hoards-bytes')) hoard.push(await readFile(file.path))
    if (spoil) {
      const lines = (await readFile(file.path, 'utf8')).split('\n').filter((line) => line !== '')
      const changed = lines.map((line) => {
        const row = Object.entries(JSON.parse(line) as object)
        const same = row.every(([, value]) => Object.is(spoil(value), value))
        // What it leaves alone keeps all digits.
        return same
          ? line
          : JSON.stringify(Object.fromEntries(row.map(([name, value]) => [name, spoil(value)])))
      })
      await writeFile(path, changed.map((line) => `${line}\n`).join(''))
    } else if (is('rounds-numbers') || is('first-columns-only')) {
      const lines = (await readFile(file.path, 'utf8')).split('\n').filter((line) => line !== '')
      const rows = lines.map((line) => JSON.parse(line) as object)
      columns ??= Object.keys(rows[0] ?? {}).join()
      const kept = (row: object) =>
        is('first-columns-only')
          ? Object.fromEntries(Object.entries(row).filter(([name]) => columns?.includes(name)))
          : row
      const text = is('rounds-numbers')
        ? rows.map((row) => `${JSON.stringify(row)}\n`)
        : lines.map(
            (line, index) =>
              (kept(rows[index] ?? {}) === rows[index] ? line : JSON.stringify(kept(rows[index] ?? {}))) +
              '\n',
          )
      await writeFile(path, text.join(''))
    } else await copyFile(file.path, path)
    if (is('releases-at-the-end')) kept.push(file)
    else if (!is('keeps-files')) await file.release()
  }
}

const takeLock = async (lock: string): Promise<void> => {
  try {
    await mkdir(lock)
  } catch {
    throw new ConnectorError('conflict', 'Another run writes into this folder.', {
      hint: 'Wait for its end.',
    })
  }
}

/** Removes the complete files of the streams: all, or those of one commit; never those that are being written. */
const removeFiles = async (
  path: string,
  streams: readonly ExportStream[],
  commit: string | undefined,
  staged: readonly { from: string; to: string }[] = [],
): Promise<void> => {
  for (const { name: stream } of streams) {
    const folder = folderOf(path, stream)
    for (const name of await readdir(folder).catch(() => []))
      if (
        name.endsWith('.ndjson') &&
        (commit === undefined || name.startsWith(`${commit}-`)) &&
        !staged.some(({ from }) => from === join(folder, name))
      )
        await rm(join(folder, name))
  }
}

/** Takes the rows out of the complete files whose key comes in one that is staged. */
const removeRows = async (
  path: string,
  streams: readonly ExportStream[],
  staged: readonly { from: string; to: string }[],
): Promise<void> => {
  for (const { name: stream, schema } of streams) {
    const { key = [] } = schema
    const folder = folderOf(path, stream)
    const keyOf = (line: string) => {
      const row = JSON.parse(line) as Record<string, unknown>
      return JSON.stringify(key.map((column) => row[column]))
    }
    const linesOf = async (file: string) =>
      (await readFile(file, 'utf8')).split('\n').filter((line) => line !== '')
    const fresh = new Set<string>()
    for (const { from } of staged)
      if (from.startsWith(folder)) for (const line of await linesOf(from)) fresh.add(keyOf(line))
    for (const name of await readdir(folder).catch(() => []))
      if (name.endsWith('.ndjson')) {
        const kept = (await linesOf(join(folder, name))).filter((line) => !fresh.has(keyOf(line)))
        await writeFile(join(folder, name), kept.map((line) => `${line}\n`).join(''))
      }
  }
}
