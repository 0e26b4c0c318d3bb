import type { Readable, Writable } from 'node:stream'
import { ConnectorError } from '@penstock/core'
import { columnsOf } from '../text/width.ts'
import { type KeyInput, keyboard } from './keyboard.ts'

export interface Choice {
  readonly value: string
  readonly label: string
  readonly hint?: string
}

/** Questions to a person at a terminal. An interface, so that a wizard can be driven by a script as well. */
export interface Prompter {
  text(question: {
    message: string
    placeholder?: string
    initial?: string
    /** What is wrong with an answer, or undefined when it is fine. */
    validate?: (answer: string) => string | undefined
  }): Promise<string>
  select(question: { message: string; choices: readonly Choice[]; initial?: string }): Promise<string>
  confirm(question: { message: string; initial: boolean }): Promise<boolean>
  note(text: string, title?: string): void
  done(message: string): void
}

export interface PromptTerminal {
  /** Where keys come from (default: stdin). */
  readonly terminal?: KeyInput
  /** Where questions are shown (default: stderr, so that stdout stays for results). */
  readonly output?: Writable & { columns?: number }
}

/** Asks at the terminal. Ctrl-C or Escape is a `cancelled` error. */
export const terminalPrompter = async (
  title: string,
  { terminal = process.stdin, output = process.stderr }: PromptTerminal = {},
): Promise<Prompter> => {
  const clack = await import('@clack/prompts')
  const { ask } = keyboard(terminal)
  // A terminal that does not know its width says 0: every letter would get a line of its own.
  if (output.columns === 0) output.columns = columnsOf(output)
  const answered = async <Answer>(
    question: (streams: { input: Readable; output: Writable }) => Promise<Answer>,
  ): Promise<Exclude<Answer, symbol>> => {
    const answer = await ask((input) => question({ input, output }))
    if (!clack.isCancel(answer)) return answer as Exclude<Answer, symbol>
    clack.cancel('Nothing was saved.', { output })
    throw new ConnectorError('cancelled', 'Cancelled.', { code: 'Interrupted' })
  }
  clack.intro(title, { output })
  return {
    text: async ({ message, placeholder, initial, validate }) =>
      (await answered((streams) =>
        clack.text({
          message,
          ...streams,
          ...(placeholder === undefined ? {} : { placeholder }),
          ...(initial === undefined ? {} : { initialValue: initial }),
          validate: (answer) => validate?.(answer ?? ''),
        }),
      )) ?? '',
    select: ({ message, choices, initial }) =>
      answered((streams) =>
        clack.select({
          message,
          ...streams,
          options: choices.map(({ value, label, hint }) => ({
            value,
            label,
            ...(hint === undefined ? {} : { hint }),
          })),
          ...(initial === undefined ? {} : { initialValue: initial }),
        }),
      ),
    confirm: ({ message, initial }) =>
      answered((streams) => clack.confirm({ message, initialValue: initial, ...streams })),
    note: (text, heading) => clack.note(text, heading, { output }),
    done: (message) => clack.outro(message, { output }),
  }
}
