import { parse } from 'shell-quote'

/** What a reader of a page would paste: a command of penstock, or a part of penstock.yaml. */
export interface Sample {
  readonly kind: 'command' | 'yaml'
  /** Line of the page, from 1. */
  readonly line: number
  readonly text: string
}

/**
 * The samples of a page, in order. A command is what begins with `penstock` in an indented block or one fenced as `sh`,
 * with the lines that go on after a backslash or within quotes.
 */
export const samplesOf = (markdown: string): readonly Sample[] => {
  const samples: { kind: Sample['kind']; line: number; text: string }[] = []
  let fence: string | undefined
  let open = false
  for (const [index, line] of markdown.split('\n').entries()) {
    const mark = /^```(\w*)/.exec(line)
    if (mark) {
      fence = fence === undefined ? (mark[1] ?? '') : undefined
      if (fence === 'yaml') samples.push({ kind: 'yaml', line: index + 2, text: '' })
      continue
    }
    const shell = fence === 'sh' ? line : fence === undefined ? /^ {4}(.*)$/.exec(line)?.[1] : undefined
    const last = samples.at(-1)
    if (fence === 'yaml' && last) last.text += `${line}\n`
    if (shell === undefined) continue
    if (open && last) last.text += `\n${shell.trimStart()}`
    else if (shell.startsWith('penstock ')) samples.push({ kind: 'command', line: index + 1, text: shell })
    else continue
    open = goesOn(samples.at(-1)?.text ?? '')
  }
  return samples
}

const goesOn = (text: string): boolean => {
  if (text.endsWith('\\')) return true
  let quote: string | undefined
  for (const character of text) {
    if (quote === undefined && (character === '"' || character === "'")) quote = character
    else if (character === quote) quote = undefined
  }
  return quote !== undefined
}

/** The words of a command, as a shell gives them to it; `undefined` when other programs or files are part of it. */
export const wordsOf = (
  text: string,
  variables: Readonly<Record<string, string>>,
): readonly string[] | undefined => {
  const words: string[] = []
  for (const entry of parse(text.replaceAll('\\\n', ' '), (name) => variables[name] ?? `$${name}`)) {
    if (typeof entry === 'string') words.push(entry)
    else if ('comment' in entry) break
    else if (entry.op === 'glob') words.push(entry.pattern)
    else return undefined
  }
  return words.slice(1)
}
