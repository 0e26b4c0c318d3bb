import { ConnectorError, toConnectorError } from '@penstock/core'

/** Objects under way at a time where the user says nothing. */
export const defaultParallel = 32

/** What became of one of many. */
export interface Failure {
  readonly item: string
  readonly error: ConnectorError
}

/**
 * Runs a task for each of a stream of items, so many at a time. One that fails does not hold up the others; failures
 * that would meet all of them (credentials, the network, a cancellation) end it at once.
 */
export const forEachParallel = async <Item>(
  items: AsyncIterable<Item> | Iterable<Item>,
  parallel: number,
  nameOf: (item: Item) => string,
  task: (item: Item) => Promise<void>,
): Promise<readonly Failure[]> => {
  const failures: Failure[] = []
  const iterator = Symbol.asyncIterator in items ? items[Symbol.asyncIterator]() : items[Symbol.iterator]()
  let turn: Promise<unknown> = Promise.resolve()
  let fatal: { readonly error: unknown } | undefined
  const next = (): Promise<IteratorResult<Item>> => {
    const mine = turn.then(() => iterator.next())
    turn = mine.catch(() => undefined)
    return mine
  }
  const lane = async (): Promise<void> => {
    while (!fatal) {
      const { done, value } = await next()
      if (done) return
      try {
        await task(value)
      } catch (reason) {
        const error = toConnectorError(reason)
        if (endsAll(error)) throw error
        failures.push({ item: nameOf(value), error })
      }
    }
  }
  await Promise.all(
    Array.from({ length: parallel }, () =>
      lane().catch((error: unknown) => {
        fatal ??= { error }
      }),
    ),
  )
  await iterator.return?.()
  if (fatal) throw fatal.error
  return failures
}

const endsAll = ({ kind, code }: ConnectorError): boolean =>
  kind === 'auth' ||
  kind === 'network' ||
  kind === 'cancelled' ||
  kind === 'internal' ||
  kind === 'throttled' ||
  code === 'ENOSPC' ||
  code === 'NoSuchBucket' ||
  code === 'WrongRegion'

/** The error of an action on many objects of which some failed: of the kind of the first, with the count. */
export const failedSome = (failures: readonly Failure[], total: number): ConnectorError | undefined => {
  const [first] = failures
  if (!first) return undefined
  if (total === 1) return first.error
  return new ConnectorError(
    first.error.kind,
    `${failures.length} of ${total} objects failed. The first: ${first.error.message}`,
    {
      ...(first.error.code === undefined ? {} : { code: first.error.code }),
      ...(first.error.hint === undefined ? {} : { hint: first.error.hint }),
      ...(first.error.place === undefined ? {} : { place: first.error.place }),
      cause: first.error,
    },
  )
}
