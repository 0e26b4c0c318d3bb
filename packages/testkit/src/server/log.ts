import type { LogEntry } from '../types.ts'

/** What came in, in order of arrival. An entry is there from the start of its request and filled in as it goes on. */
export interface RequestLog {
  entries(): LogEntry[]
  clear(): void
}

export interface WritableLog extends RequestLog {
  add(entry: LogEntry): void
}

/** Entries that the log keeps: enough for every test, and a limit for servers that run for days. */
const capacity = 500_000

export function createLog(): WritableLog {
  let entries: LogEntry[] = []
  return {
    entries: () => [...entries],
    clear: () => {
      entries = []
    },
    add: (entry) => {
      if (entries.length >= capacity) entries = entries.slice(capacity / 2)
      entries.push(entry)
    },
  }
}
