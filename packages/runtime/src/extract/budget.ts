/** A counted resource, such as staging bytes, that waiters get in the order in which they asked. */
export interface Budget {
  /** Waits until `amount` is free and takes it. An amount above the whole budget waits for the whole of it. */
  take(amount: number, signal: AbortSignal): Promise<void>
  /** Takes `amount` where it is free now. */
  tryTake(amount: number): boolean
  /** Takes `amount` for a holder who needs more where it is free now, before those who wait for their first. */
  tryGrow(amount: number): boolean
  give(amount: number): void
  readonly used: () => number
  /** Highest use so far. */
  readonly peak: () => number
  /** True while somebody waits: the holder should finish what it has. */
  readonly contended: () => boolean
  /** Calls `listener` whenever somebody has to wait. Returns its removal. */
  onContended(listener: () => void): () => void
}

export const createBudget = (total: number): Budget => {
  let used = 0
  let peak = 0
  const waiting: { amount: number; resolve: () => void }[] = []
  const listeners = new Set<() => void>()
  const admit = () => {
    for (let next = waiting[0]; next && used + next.amount <= total; next = waiting[0]) {
      waiting.shift()
      used += next.amount
      peak = Math.max(peak, used)
      next.resolve()
    }
  }
  const tryGrow = (amount: number) => {
    if (used + amount > total) return false
    used += amount
    peak = Math.max(peak, used)
    return true
  }
  return Object.freeze({
    take: async (amount: number, signal: AbortSignal) => {
      signal.throwIfAborted()
      const { promise, resolve, reject } = Promise.withResolvers<void>()
      const waiter = { amount: Math.min(amount, total), resolve }
      const abort = () => {
        const index = waiting.indexOf(waiter)
        if (index < 0) return
        waiting.splice(index, 1)
        reject(signal.reason)
        admit()
      }
      signal.addEventListener('abort', abort, { once: true })
      waiting.push(waiter)
      admit()
      if (waiting.includes(waiter)) for (const listener of listeners) listener()
      await promise.finally(() => signal.removeEventListener('abort', abort))
    },
    tryTake: (amount: number) => waiting.length === 0 && tryGrow(amount),
    tryGrow,
    give: (amount: number) => {
      used -= Math.min(amount, total)
      admit()
    },
    used: () => used,
    peak: () => peak,
    contended: () => waiting.length > 0,
    onContended: (listener: () => void) => {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
  })
}
