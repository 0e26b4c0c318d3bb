import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { Flags, type Interfaces } from '@penstock/command-kit'
import { ConnectorError, type ScanCache, type TableVersion } from '@penstock/core'
import { parseBytes, type ResourceOptions } from '@penstock/runtime'

/** Flags of commands that query tables where they are. */
export const inPlaceFlags = {
  connection: Flags.string({
    description: 'Zero-copy connection whose tables the SQL names; may be given several times.',
    helpValue: 'CONNECTION',
    multiple: true,
  }),
  at: Flags.string({
    description: 'Version of the tables: a snapshot id, a time, a branch or a tag.',
    helpValue: 'SNAPSHOT|TIME|REF',
  }),
  cache: Flags.string({
    description: 'Ceiling of the cache of files that never change (default 1GiB; 0: none).',
    helpValue: 'SIZE',
  }),
} satisfies Interfaces.FlagInput

const defaultCacheBytes = 1024 ** 3

/** Cache of the user, shared by all projects: XDG Base Directory Specification. */
export const scanCache = (size: string | undefined): ScanCache | undefined => {
  const bytes = size === undefined ? defaultCacheBytes : size === '0' ? 0 : parseBytes(size)
  if (bytes === undefined)
    throw new ConnectorError('config', `--cache ${size} is no size.`, {
      code: 'Usage',
      hint: 'For example --cache 2GiB, or --cache 0 for none.',
    })
  if (bytes === 0) return undefined
  const caches = process.env.XDG_CACHE_HOME || join(homedir(), '.cache')
  return { folder: join(caches, 'penstock'), bytes }
}

/** Staging of a query that changes no database: in a fixed place, where what a killed process left is found. */
export const queryStaging = ({ stagingFolder }: ResourceOptions): string =>
  stagingFolder ?? join(tmpdir(), `penstock-query-${process.getuid?.() ?? 'user'}`)

/**
 * `--at`: all digits are a snapshot id, what begins as a date is a time (UTC where it names no zone), everything else a
 * branch or tag. `snapshot:`, `time:` and `ref:` before it decide where that would be wrong.
 */
export const readVersion = (text: string | undefined): TableVersion | undefined => {
  if (text === undefined) return undefined
  const [, prefix, rest = ''] = /^(?:(snapshot|time|ref):)?(.*)$/s.exec(text) ?? []
  const isSnapshot = prefix === 'snapshot' || (prefix === undefined && /^\d{5,}$/.test(rest))
  if (isSnapshot && /^\d+$/.test(rest)) return { snapshotId: BigInt(rest) }
  const isTime = prefix === 'time' || (prefix === undefined && /^\d{4}-\d\d-\d\d/.test(rest))
  if (isTime) {
    const isZoned = /(?:Z|[+-]\d\d:?\d\d)$/i.test(rest) || /^\d{4}-\d\d-\d\d$/.test(rest)
    const timestamp = new Date(isZoned ? rest : `${rest.replace(' ', 'T')}Z`)
    if (!Number.isNaN(timestamp.getTime())) return { timestamp }
  } else if (!isSnapshot && rest !== '') return { ref: rest }
  throw new ConnectorError('config', `--at ${text} is no snapshot id, time, branch or tag.`, {
    code: 'Usage',
    hint: 'For example --at 4358109269898243000, --at 2026-11-24T10:00:00Z or --at main.',
  })
}

/** True for a statement that keeps rows in the local database. */
export const isWriting = (sql: string): boolean =>
  /^(?:\s|--[^\n]*\n|\/\*.*?\*\/)*(?:create|insert)\b/is.test(sql)
