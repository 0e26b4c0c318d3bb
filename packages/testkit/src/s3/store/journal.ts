import {
  closeSync,
  existsSync,
  ftruncateSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import type { Bucket, Change } from './model.ts'
import { changesOf } from './state.ts'
import type { Journal } from './store.ts'

/** Reads the changes of a journal. A last line without its end was not committed and does not count. */
export function* readJournal(path: string): Generator<Change> {
  if (!existsSync(path)) return
  const bytes = readFileSync(path)
  for (let start = 0; ; ) {
    const end = bytes.indexOf(0x0a, start)
    if (end < 0) return
    // Written by this module alone.
    const changes: Change[] = JSON.parse(bytes.toString('utf8', start, end))
    yield* changes
    start = end + 1
  }
}

/** Rewrites the journal to what the state is now (so it does not grow for ever) and opens it for appending. */
export function openJournal(path: string, buckets: ReadonlyMap<string, Bucket>): Journal {
  const draft = `${path}.new`
  const file = openSync(draft, 'w')
  let length = 0
  const write = (text: string) => {
    const bytes = Buffer.from(text)
    try {
      for (let done = 0; done < bytes.length; ) {
        done += writeSync(file, bytes, done, bytes.length - done, length + done)
      }
    } catch (error) {
      // Half a line (a full disk) must not swallow the one that follows.
      ftruncateSync(file, length)
      throw error
    }
    length += bytes.length
  }
  let lines: string[] = []
  const flush = () => {
    write(lines.join(''))
    lines = []
  }
  for (const change of changesOf(buckets)) {
    lines.push(`${JSON.stringify([change])}\n`)
    if (lines.length >= 1000) flush()
  }
  flush()
  renameSync(draft, path)
  let closed = false
  return {
    append(changes) {
      if (closed) throw new Error('The store is closed')
      write(`${JSON.stringify(changes)}\n`)
    },
    close() {
      if (!closed) closeSync(file)
      closed = true
    },
  }
}

/** Claims the folder for this process; returns what gives it up. A claim of a process that has died does not count. */
export function lockFolder(folder: string): () => void {
  const path = join(folder, 'lock')
  if (existsSync(path)) {
    const owner = Number(readFileSync(path, 'utf8'))
    if (isRunning(owner)) throw new Error(`The folder ${folder} is in use by process ${owner}`)
    rmSync(path)
  }
  writeFileSync(path, String(process.pid), { flag: 'wx' })
  return () => rmSync(path, { force: true })
}

function isRunning(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}
