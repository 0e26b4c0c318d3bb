import { stripVTControlCharacters, styleText } from 'node:util'
import type { CommandLine, CommandResult } from './run-command.ts'

/** Columns of the terminal that everything has to fit. */
export const width = 80

export interface RunOptions {
  /** Exit code that the story needs (default 0). */
  readonly code?: number
  /** Shows this many lines of the output at most; 0 for none (default: all). */
  readonly lines?: number
}

/** What the demo prints, and the commands that it runs. */
export interface Terminal {
  heading(text: string): void
  /** A paragraph, wrapped. */
  say(text: string): void
  /** Lines as they are, indented. */
  show(text: string): void
  /** A path on a line of its own, however long. */
  path(text: string): void
  /** Prints a command as a user types it, runs it, and prints what it writes. */
  penstock(command: readonly string[], options?: RunOptions): Promise<CommandResult>
}

/** A step did not do what the demo says of it. */
export class DemoFailure extends Error {}

/** Ends the demo unless a step did what is said of it. */
export const expectEqual = (what: string, actual: unknown, expected: unknown): void => {
  const [is, should] = [JSON.stringify(actual), JSON.stringify(expected)]
  if (is !== should) throw new DemoFailure(`${what}: expected ${should}, found ${is}`)
}

export const expectText = (what: string, text: string, parts: readonly string[]): void => {
  const flat = text.replace(/\s+/g, ' ')
  for (const part of parts) if (!flat.includes(part)) throw new DemoFailure(`${what}: "${part}" is not in it`)
}

export const createTerminal = (commandLine: CommandLine): Terminal => {
  const stream = process.stdout
  const paint = (format: 'bold' | 'cyan' | 'dim', text: string) => styleText(format, text, { stream })
  const print = (line = '') => {
    const columns = [...stripVTControlCharacters(line)].length
    if (columns > width) throw new DemoFailure(`A line has ${columns} columns: ${line}`)
    stream.write(`${line}\n`)
  }
  return {
    heading: (text) => {
      print()
      print(paint('bold', `== ${text} ${'='.repeat(width - text.length - 4)}`))
    },
    say: (text) => {
      print()
      for (const line of wrap(text)) print(line)
    },
    show: (text) => {
      print()
      for (const line of text.trimEnd().split('\n')) print(paint('dim', `    ${line}`))
    },
    path: (text) => {
      stream.write(`\n    ${text}\n`)
    },
    penstock: async (command, { code = 0, lines = Number.POSITIVE_INFINITY } = {}) => {
      print()
      for (const line of typed(command)) print(paint('cyan', line))
      const result = await commandLine.run(command)
      const output = result.text.trimEnd().split('\n')
      for (const line of output.slice(0, lines)) print(line)
      if (lines > 0 && output.length > lines) print(paint('dim', `... ${output.length - lines} more lines`))
      if (result.code !== code)
        throw new DemoFailure(
          `penstock ${command[0]} ended with ${result.code}, not ${code}:\n${result.text.trimEnd()}`,
        )
      return { code: result.code, text: stripVTControlCharacters(result.text) }
    },
  }
}

/** The command as one types it, broken where it gets too long. */
const typed = (command: readonly string[]): string[] => {
  const words = pairs(['penstock', ...command.map(quoted)])
  const lines = [{ text: '$', goesOn: '' }]
  for (const word of words) {
    const last = lines.at(-1)
    if (last && last.text.length + 1 + word.length <= width - 2) last.text += ` ${word}`
    else {
      if (last) last.goesOn = ' \\'
      // A quoted text goes on over lines as it is: to SQL a line break is a space.
      for (const text of wrap(word, width - 8)) lines.push({ text: `    ${text}`, goesOn: '' })
    }
  }
  return lines.map(({ text, goesOn }) => text + goesOn)
}

/** Keeps a flag on one line with its value. */
const pairs = (words: readonly string[]): string[] => {
  const joined: string[] = []
  for (const word of words) {
    const last = joined.at(-1)
    if (last !== undefined && /^--[\w-]+$/.test(last) && !word.startsWith('-'))
      joined[joined.length - 1] = `${last} ${word}`
    else joined.push(word)
  }
  return joined
}

const quoted = (word: string): string => {
  if (/^[\w./:=@%-]+$/.test(word)) return word
  return word.includes("'") ? `"${word}"` : `'${word}'`
}

const wrap = (text: string, columns = width): string[] => {
  const lines = ['']
  for (const word of text.trim().split(/\s+/)) {
    const line = lines.at(-1) ?? ''
    if (line === '') lines[lines.length - 1] = word
    else if (line.length + 1 + word.length <= columns) lines[lines.length - 1] = `${line} ${word}`
    else lines.push(word)
  }
  return lines
}
