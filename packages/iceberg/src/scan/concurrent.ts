/**
 * Runs a task for each item, at most `limit` at a time, and gives the results in the order of the items. Leaving the
 * loop early starts no further task.
 */
export async function* mapConcurrent<Item, Result>(
  items: readonly Item[],
  limit: number,
  task: (item: Item) => Promise<Result>,
): AsyncGenerator<Result> {
  const running: Promise<Result>[] = []
  let next = 0
  const start = (): void => {
    const item = items[next++]
    if (item === undefined) return
    const promise = task(item)
    // A later task may fail while an earlier one is awaited: its error is met in its turn, or not at all.
    promise.catch(() => {})
    running.push(promise)
  }
  while (next < Math.min(limit, items.length)) start()
  for (let first = running.shift(); first; first = running.shift()) {
    const result = await first
    start()
    yield result
  }
}
