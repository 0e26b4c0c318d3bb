/**
 * Maps items with so many at once, in order. At the first failure no further item is begun; the failure leaves when all
 * that were begun have ended, so that nothing works on after it.
 */
export const mapLimited = async <Item, Result>(
  items: readonly Item[],
  limit: number,
  map: (item: Item, index: number) => Promise<Result>,
): Promise<Result[]> => {
  const results = new Array<Result>(items.length)
  let next = 0
  let failure: { readonly error: unknown } | undefined
  const lane = async () => {
    for (let index = next++; index < items.length && !failure; index = next++)
      try {
        results[index] = await map(items[index] as Item, index)
      } catch (error) {
        failure ??= { error }
      }
  }
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, lane))
  if (failure) throw failure.error
  return results
}
