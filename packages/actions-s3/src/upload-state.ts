import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'

/**
 * Ids of uploads that are under way, so that one that is cut off, by whatever, can go on. One file for each target and
 * source, in PENSTOCK_STATE_DIR, XDG_STATE_HOME/penstock or ~/.local/state/penstock: the source's own folder may be
 * read-only.
 */
export interface UploadState {
  /** Id of an upload of these very bytes with these very options. */
  readonly uploadId: string | undefined
  /** Id of an upload of what the file was before: its parts are worth nothing. */
  readonly stale: string | undefined
  save(uploadId: string): void
  clear(): void
}

const stateFolder = (): string =>
  process.env.PENSTOCK_STATE_DIR ??
  join(process.env.XDG_STATE_HOME || join(homedir(), '.local', 'state'), 'penstock')

const hash = (value: unknown): string => createHash('sha256').update(JSON.stringify(value)).digest('hex')

interface Saved {
  readonly uploadId: string
  readonly source: string
}

export const uploadState = (target: {
  readonly endpoint: string | undefined
  readonly bucket: string
  readonly key: string
  readonly path: string
  readonly options: unknown
}): UploadState => {
  const path = resolve(target.path)
  const { endpoint, bucket, key } = target
  const file = join(stateFolder(), 'uploads', `${hash([endpoint, bucket, key, path]).slice(0, 32)}.json`)
  const { size, mtimeNs, ino } = statSync(path, { bigint: true })
  const source = hash([String(size), String(mtimeNs), String(ino), target.options])
  const saved = read(file)
  const same = saved?.source === source
  return {
    uploadId: same ? saved.uploadId : undefined,
    stale: saved && !same ? saved.uploadId : undefined,
    // Without a state an upload that is cut off begins anew; that is no reason to fail.
    save: (uploadId) =>
      tolerant(() => {
        mkdirSync(join(file, '..'), { recursive: true, mode: 0o700 })
        writeFileSync(file, JSON.stringify({ uploadId, source } satisfies Saved), { mode: 0o600 })
      }),
    clear: () => tolerant(() => rmSync(file, { force: true })),
  }
}

const tolerant = (change: () => void): void => {
  try {
    change()
  } catch {
    // See save.
  }
}

const read = (file: string): Saved | undefined => {
  try {
    const saved = JSON.parse(readFileSync(file, 'utf8')) as Partial<Saved>
    return typeof saved.uploadId === 'string' && typeof saved.source === 'string'
      ? (saved as Saved)
      : undefined
  } catch {
    return undefined
  }
}
