import { Cron } from 'croner'

/** A cron pattern of five fields, in UTC. Throws what croner says about a wrong one. */
const parse = (pattern: string): Cron => new Cron(pattern, { timezone: 'UTC', mode: '5-part' })

/** What is wrong with a cron pattern, for people; undefined when it is right. */
export const cronProblem = (pattern: string): string | undefined => {
  const fields = pattern.trim().split(/\s+/).length
  if (fields !== 5 && !pattern.trim().startsWith('@'))
    return `must have five fields (minute hour day month weekday), not ${fields}`
  try {
    return parse(pattern).nextRun(new Date(0)) ? undefined : 'never comes: there is no such day'
  } catch (error) {
    const reason = error instanceof Error ? error.message.replace(/^Cron\w+: /, '') : String(error)
    return `is no cron pattern: ${reason}`
  }
}

/** The first time of a pattern after a time, both in ms since 1970. */
export const cronTimes = (pattern: string): ((after: number) => number | undefined) => {
  const cron = parse(pattern)
  return (after) => cron.nextRun(new Date(after))?.getTime()
}
