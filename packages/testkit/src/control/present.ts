/** Optional members that are absent rather than undefined. */
export type WithoutUndefined<Value> = { [Name in keyof Value]: Exclude<Value[Name], undefined> }

/** Drops members that are undefined, as zod leaves them for optional ones. */
export function present<Value extends object>(value: Value): WithoutUndefined<Value> {
  const entries = Object.entries(value).filter(([, member]) => member !== undefined)
  return Object.fromEntries(entries) as WithoutUndefined<Value>
}
