import type { S3Head, S3WriteAccess, S3Written, WriteConditions } from '@penstock/aws'
import { ConnectorError, toConnectorError, writeConflicts } from '@penstock/core'
import { eachOf, requestsAtOnce } from '../each.ts'
import { type Author, isWrittenBy } from '../objects.ts'
import { isConflict, isMissing, removeKeys } from '../state/notes.ts'
import { headOf } from '../state/tries.ts'
import type { StagedFile } from './staged.ts'

export interface PublishOptions {
  readonly access: S3WriteAccess
  readonly author: Author
  /** Keys of former runs that this one may replace; none when it appends. */
  readonly own: ReadonlySet<string>
  /** An earlier try of this run may have left files that it could not remove. */
  readonly retried: boolean
  readonly signal: AbortSignal
}

/** Files that are becoming visible. */
export interface Publication {
  /**
   * Makes all files visible, in as short a time as can be. Throws `conflict` when a key is taken; what was made by then
   * is to be withdrawn.
   */
  publish(): Promise<ReadonlyMap<StagedFile, S3Written>>
  /** Removes files that were not there before, wherever it shows that this try wrote them. */
  withdraw(access: S3WriteAccess): Promise<void>
}

/** Whether an object may be replaced: a former run's by an overwrite, what an earlier try of this run left by a retry. */
const mayReplace = (key: string, head: S3Head, { own, retried, author }: PublishOptions): boolean => {
  const { exportId, commitId } = author
  if (own.has(key) && isWrittenBy(head, { exportId })) return true
  return retried && isWrittenBy(head, { exportId, commitId })
}

/** What is at a key; undefined for nothing. Throws `conflict` for an object that the run may not replace. */
const replaceable = async (key: string, options: PublishOptions): Promise<S3Head | undefined> => {
  const { access, author, signal } = options
  const head = await headOf(access, key, signal)
  if (head && !mayReplace(key, head, options))
    throw keyTaken(key, isWrittenBy(head, { exportId: author.exportId }))
  return head
}

/** What has to hold for a key: nothing is there, or what may be replaced, and just that version of it. */
const conditionsFor = async (key: string, options: PublishOptions): Promise<WriteConditions> => {
  if (!options.own.has(key) && !options.retried) return { ifNoneMatch: '*' }
  const head = await replaceable(key, options)
  return head ? { ifMatch: head.entry.version } : { ifNoneMatch: '*' }
}

/** Throws `conflict` when a key is taken that the run may not replace: before its bytes are sent in vain. */
export const requireFree = async (key: string, options: PublishOptions): Promise<void> => {
  await replaceable(key, options)
}

const keyTaken = (key: string, mine: boolean, cause?: unknown): ConnectorError =>
  new ConnectorError(
    'conflict',
    mine
      ? `An earlier run of this export has written ${JSON.stringify(key)}, and this run replaces nothing.`
      : `There is an object ${JSON.stringify(key)} already, which this export has not written.`,
    {
      code: writeConflicts.nameTaken,
      hint: mine
        ? 'Put {run_id} into the key template, or {date_time} and run again, or choose mode overwrite.'
        : 'It stays as it is. Put {run_id} into the key template, choose another folder, or remove the object.',
      place: { object: key },
      ...(cause === undefined ? {} : { cause }),
    },
  )

export const createPublication = (files: readonly StagedFile[], options: PublishOptions): Publication => {
  const { author, own, signal } = options
  const conditions = new Map<StagedFile, WriteConditions>()
  // A name that a former run had as well has its file before and after: nothing is to be removed.
  const isReplaced = (file: StagedFile) => own.has(file.key) && conditions.get(file)?.ifMatch !== undefined

  const publish = async (): Promise<ReadonlyMap<StagedFile, S3Written>> => {
    const written = new Map<StagedFile, S3Written>()
    await eachOf(files, requestsAtOnce, async (file) => {
      conditions.set(file, await conditionsFor(file.key, options))
    })
    try {
      // Requests that are under way when one fails are waited for: one that is broken off may take effect later.
      await eachOf(files, requestsAtOnce, async (file) => {
        try {
          written.set(file, await file.publish({ ...conditions.get(file), signal }))
        } catch (error) {
          throw isConflict(error) || isMissing(error) ? await explained(file.key, error, options) : error
        }
      })
    } catch (error) {
      throw withReplaced(error, files.filter(isReplaced).length)
    }
    return written
  }

  return Object.freeze<Publication>({
    publish,
    withdraw: (using) =>
      withdraw(
        files.filter((file) => conditions.has(file) && !isReplaced(file)),
        author,
        using,
      ),
  })
}

/**
 * Of a condition that did not hold: whose object is there. Where that is none that is in the way, the object came, went
 * or changed in that moment: S3 wants such a write again, an upload in parts with all of its bytes, which are gone from
 * here by now.
 */
const explained = async (key: string, error: unknown, options: PublishOptions): Promise<unknown> => {
  const { access, author } = options
  try {
    const head = await headOf(access, key, AbortSignal.timeout(explainMs))
    return head && !mayReplace(key, head, options)
      ? keyTaken(key, isWrittenBy(head, { exportId: author.exportId }), error)
      : raced(key, error)
  } catch {
    return error
  }
}

const raced = (key: string, cause: unknown): ConnectorError =>
  new ConnectorError('conflict', `Somebody else wrote or removed ${JSON.stringify(key)} in that moment.`, {
    code: writeConflicts.race,
    hint: 'Nothing of this run is left. Run again, and keep others from these keys.',
    place: { object: key },
    cause,
  })

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
