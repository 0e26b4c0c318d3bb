/** Runs `use` on each item, so many at a time. The first failure, also one of the items themselves, stops the rest, and is thrown when all are through. */
export const eachOf = async <Item>(
  items: Iterable<Item> | AsyncIterable<Item>,
  limit: number,
  use: (item: Item) => Promise<void>,
): Promise<void> => {
  const running = new Set<Promise<void>>()
  const failures: unknown[] = []
  try {
    for await (const item of items) {
      const task: Promise<void> = use(item)
        .catch((error: unknown) => void failures.push(error))
        .finally(() => running.delete(task))
      running.add(task)
      if (running.size >= limit) await Promise.race(running)
      if (failures.length > 0) break
    }
  } catch (error) {
    failures.push(error)
  }
  await Promise.all(running)
  if (failures.length > 0) throw failures[0]
}

/** Requests of small objects in flight: the connection has a limit of its own. */
export const requestsAtOnce = 32
