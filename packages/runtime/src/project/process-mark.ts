import { readFileSync } from 'node:fs'
import { hostname } from 'node:os'

/** What tells a process from every other, also from a later one with the same id. */
export interface ProcessMark {
  readonly host: string
  readonly pid: number
  /** Where the system says it. */
  readonly born?: string
}

export const processMark = (): ProcessMark => {
  const born = bornOf(process.pid)
  return { host: hostname(), pid: process.pid, ...(born === undefined ? {} : { born }) }
}

/** Whether the process still runs. One on another host can't be looked at from here: its word counts. */
export const isSameProcessAlive = (mark: ProcessMark): boolean => {
  if (mark.host !== hostname()) return true
  try {
    process.kill(mark.pid, 0)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false
  }
  return mark.born === undefined || mark.born === bornOf(mark.pid)
}

/** Start time of a process in clock ticks since boot (Linux, field 22 of /proc/PID/stat); undefined elsewhere. */
const bornOf = (pid: number): string | undefined => {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]
  } catch {
    return undefined
  }
}
