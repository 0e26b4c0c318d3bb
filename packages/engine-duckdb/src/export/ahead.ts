/**
 * Reads a generator ahead of whoever takes its items, `limit` items at most. What was read and never taken goes to
 * `discard` when the reading is left.
 */
export async function* readAhead<Item>(
  items: AsyncGenerator<Item>,
  limit: number,
  discard: (item: Item) => Promise<void>,
): AsyncGenerator<Item> {
  const ready: Item[] = []
  let state: { ended: boolean; error?: unknown; left: boolean } = { ended: false, left: false }
  let wake = () => {}
  let changed = Promise.withResolvers<void>()
  wake = () => {
    changed.resolve()
    changed = Promise.withResolvers()
  }
  const reading = (async () => {
    try {
      for await (const item of items) {
        ready.push(item)
        wake()
        while (ready.length >= limit && !state.left) await changed.promise
        if (state.left) break
      }
      state = { ...state, ended: true }
    } catch (error) {
      state = { ...state, ended: true, error }
    }
    wake()
  })()
  try {
    for (;;) {
      const item = ready.shift()
      if (item !== undefined) {
        wake()
        yield item
        continue
      }
      if (state.ended) {
        if ('error' in state) throw state.error
        return
      }
      await changed.promise
    }
  } finally {
    state = { ...state, left: true }
    wake()
    await reading
    for (const item of ready) await discard(item)
  }
}
