import type { S3WriteAccess, S3Written, WriteConditions } from '@penstock/aws'
import { ConnectorError, toConnectorError } from '@penstock/core'
import { eachOf, requestsAtOnce } from '../each.ts'
import { type Author, isWrittenBy } from '../objects.ts'
import { isConflict, removeKeys } from '../state/notes.ts'
import { headOf } from '../state/tries.ts'
import type { StagedFile } from './staged.ts'

export interface PublishOptions {
  readonly access: S3WriteAccess
  readonly author: Author
  /** Keys of former runs that this one may replace; none when it appends. */
  readonly own: ReadonlySet<string>
  readonly signal: AbortSignal
}

/** Files that are visible. */
export interface Published {
  readonly written: ReadonlyMap<StagedFile, S3Written>
  /** Removes those that were not there before, wherever it shows that this try wrote them. */
  withdraw(access: S3WriteAccess): Promise<void>
}

/**
 * What has to hold for a key: nothing is there, or what this export wrote, and just that version of it. Throws
 * `conflict` for somebody else's object where a key of a former run is meant.
 */
const conditionsFor = async (key: string, options: PublishOptions): Promise<WriteConditions> => {
  const { access, own, author, signal } = options
  if (!own.has(key)) return { ifNoneMatch: '*' }
  const head = await headOf(access, key, signal)
  if (!head) return { ifNoneMatch: '*' }
  if (!isWrittenBy(head, { exportId: author.exportId })) throw keyTaken(key, false)
  return { ifMatch: head.entry.version }
}

/** Throws `conflict` when a key is taken that the run may not replace: before its bytes are sent in vain. */
export const requireFree = async (key: string, options: PublishOptions): Promise<void> => {
  const { access, own, author, signal } = options
  const head = await headOf(access, key, signal)
  if (!head) return
  const mine = isWrittenBy(head, { exportId: author.exportId })
  if (!mine || !own.has(key)) throw keyTaken(key, mine)
}

const keyTaken = (key: string, mine: boolean, cause?: unknown): ConnectorError =>
  new ConnectorError(
    'conflict',
    mine
      ? `An earlier run of this export has written ${JSON.stringify(key)}, and this run replaces nothing.`
      : `There is an object ${JSON.stringify(key)} already, which this export has not written.`,
    {
      code: 'KeyTaken',
      hint: mine
        ? 'Put {date_time} or {run_id} into the key template, or choose mode overwrite.'
        : 'It stays as it is. Put {date_time} or {run_id} into the key template, choose another folder, or remove the object.',
      place: { object: key },
      ...(cause === undefined ? {} : { cause }),
    },
  )

/** Makes all files visible, in as short a time as can be. When one fails, those that were not there before go again. */
export const publishAll = async (
  files: readonly StagedFile[],
  options: PublishOptions,
  cleanUp: () => S3WriteAccess,
): Promise<Published> => {
  const { access, author } = options
  const written = new Map<StagedFile, S3Written>()
  const conditions = new Map<StagedFile, WriteConditions>()
  await eachOf(files, requestsAtOnce, async (file) => {
    conditions.set(file, await conditionsFor(file.key, options))
  })
  const created = files.filter((file) => conditions.get(file)?.ifMatch === undefined)
  const stop = new AbortController()
  const signal = AbortSignal.any([options.signal, stop.signal])
  try {
    await eachOf(files, requestsAtOnce, async (file) => {
      try {
        written.set(file, await file.publish({ ...conditions.get(file), signal }))
      } catch (error) {
        stop.abort(error)
        throw isConflict(error) ? await explained(file.key, error, access, author) : error
      }
    })
  } catch (error) {
    await withdraw(created, author, cleanUp())
    throw withReplaced(error, files.length - created.length)
  }
  return { written, withdraw: (using) => withdraw(created, author, using) }
}

const explained = async (
  key: string,
  error: unknown,
  access: S3WriteAccess,
  author: Author,
): Promise<unknown> => {
  const head = await headOf(access, key, AbortSignal.timeout(explainMs)).catch(() => undefined)
  return head ? keyTaken(key, isWrittenBy(head, { exportId: author.exportId }), error) : error
}

/** Time to find out whose an object is, in milliseconds. */
const explainMs = 10_000

const withdraw = async (
  files: readonly StagedFile[],
  author: Author,
  access: S3WriteAccess,
): Promise<void> => {
  const { signal } = new AbortController()
  const keys: string[] = []
  await eachOf(files, requestsAtOnce, async ({ key }) => {
    const head = await headOf(access, key, signal)
    if (head && isWrittenBy(head, author)) keys.push(key)
  })
  await removeKeys(access, keys)
}

const withReplaced = (error: unknown, replaced: number): unknown => {
  if (replaced === 0) return error
  const { kind, message, code, place, hint, cause } = toConnectorError(error)
  return new ConnectorError(kind, message, {
    hint: `${hint ?? ''} Files whose names do not change with each run may have been replaced already: run again.`.trim(),
    ...(code === undefined ? {} : { code }),
    ...(place === undefined ? {} : { place }),
    cause,
  })
}
