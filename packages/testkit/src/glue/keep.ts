import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import type { GlueStore } from './store.ts'

/** Catalogs that are kept in a file. */
export interface KeptCatalogs {
  /** Writes what is not written yet. */
  flush(): void
}

/** Reads the catalogs of a store from a file, and writes them there, whole, after they have changed. */
export function keepCatalogs(store: GlueStore, path: string): KeptCatalogs {
  const known = readCatalogs(path)
  if (known) store.catalogs = known
  let pending: NodeJS.Immediate | undefined
  const flush = (): void => {
    if (!pending) return
    clearImmediate(pending)
    pending = undefined
    writeFileSync(`${path}.tmp`, JSON.stringify(store.catalogs, withMaps))
    renameSync(`${path}.tmp`, path)
  }
  // Changes that are made in one go are written once.
  store.changed = () => {
    pending ??= setImmediate(flush)
  }
  return { flush }
}

function readCatalogs(path: string): GlueStore['catalogs'] | undefined {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
  return JSON.parse(text, toMaps) as GlueStore['catalogs']
}

/** How a map is written: an object of this one property. */
const entries = '$entries'

const withMaps = (_name: string, value: unknown): unknown =>
  value instanceof Map ? { [entries]: [...value] } : value

const toMaps = (_name: string, value: unknown): unknown =>
  typeof value === 'object' && value !== null && entries in value
    ? new Map(value[entries] as [unknown, unknown][])
    : value
