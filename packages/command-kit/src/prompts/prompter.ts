import { ConnectorError } from '@penstock/core'

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

/** Asks on stderr, so that stdout stays for results. Ctrl-C or Escape is a `cancelled` error. */
export const terminalPrompter = async (title: string): Promise<Prompter> => {
  const clack = await import('@clack/prompts')
  const output = process.stderr
  const answered = <Answer>(answer: Answer): Exclude<Answer, symbol> => {
    if (!clack.isCancel(answer)) return answer as Exclude<Answer, symbol>
    clack.cancel('Nothing was saved.', { output })
    throw new ConnectorError('cancelled', 'Cancelled.', { code: 'Interrupted' })
  }
  clack.intro(title, { output })
  return {
    text: async ({ message, placeholder, initial, validate }) =>
      answered(
        await clack.text({
          message,
          output,
          ...(placeholder === undefined ? {} : { placeholder }),
          ...(initial === undefined ? {} : { initialValue: initial }),
          validate: (answer) => validate?.(answer ?? ''),
        }),
      ) ?? '',
    select: async ({ message, choices, initial }) =>
      answered(
        await clack.select({
          message,
          output,
          options: choices.map(({ value, label, hint }) => ({
            value,
            label,
            ...(hint === undefined ? {} : { hint }),
          })),
          ...(initial === undefined ? {} : { initialValue: initial }),
        }),
      ),
    confirm: async ({ message, initial }) =>
      answered(await clack.confirm({ message, initialValue: initial, output })),
    note: (text, heading) => clack.note(text, heading, { output }),
    done: (message) => clack.outro(message, { output }),
  }
}
