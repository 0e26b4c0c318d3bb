import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { open, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { stripVTControlCharacters, styleText } from 'node:util'

/** Columns of the terminal that everything has to fit. */
const width = 80

const commandLine = fileURLToPath(new URL('../../../apps/cli/bin/dev.ts', import.meta.url))

export interface CommandResult {
  readonly code: number
  /** stdout and stderr in the order in which they were written, without colours. */
  readonly text: string
}

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
  /** Prints a command as a user types it, runs it as its own process, and prints what it writes. */
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

export const createTerminal = (options: {
  folder: string
  environment: NodeJS.ProcessEnv
  signal: AbortSignal
}): Terminal => {
  const { folder, environment, signal } = options
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
      const colours = Boolean(stream.isTTY) && process.env.NO_COLOR === undefined
      const env = { ...environment, COLUMNS: String(width), ...(colours && { FORCE_COLOR: '1' }) }
      const result = await execute(command, { folder, env, signal })
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

/** Only what a command needs, so that no setting of the user's own AWS gets into the demo. */
export const commandEnvironment = (home: string, own: NodeJS.ProcessEnv): NodeJS.ProcessEnv => {
  const kept = [
    'PATH',
    'TMPDIR',
    'TEMP',
    'TMP',
    'SystemRoot',
    'TERM',
    'LANG',
    'NO_COLOR',
    'NODE_COMPILE_CACHE',
  ]
  const taken = kept.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]]))
  return { ...Object.fromEntries(taken), HOME: home, USERPROFILE: home, CI: '1', ...own }
}

/** Both streams go into one file: it alone keeps the order in which a process wrote to them. */
const execute = async (
  command: readonly string[],
  options: { folder: string; env: NodeJS.ProcessEnv; signal: AbortSignal },
): Promise<CommandResult> => {
  const path = join(options.folder, '..', 'output')
  const file = await open(path, 'w')
  try {
    const child = spawn(process.execPath, ['--conditions=penstock:source', commandLine, ...command], {
      cwd: options.folder,
      env: options.env,
      stdio: ['ignore', file.fd, file.fd],
      signal: options.signal,
    })
    const [code] = await once(child, 'close')
    return { code: typeof code === 'number' ? code : 1, text: await readFile(path, 'utf8') }
  } finally {
    await file.close()
    await rm(path, { force: true })
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
