import { PassThrough, type Readable } from 'node:stream'
import { setImmediate as nextTurn } from 'node:timers/promises'

/** What is used of a terminal that is read. */
export type KeyInput = Readable & { setRawMode?: (raw: boolean) => unknown }

/** A sequence of an arrow or function key is one key. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: it is what terminals send
const key = /\u001b(?:\[[0-9;]*[A-Za-z~]|O[A-Za-z])|[\s\S]/gu

/**
 * Keys for questions that come one after the other. Each question reads the terminal by a stream of its own, which would
 * swallow what was typed ahead or pasted for the next ones: here every key waits until a question takes it.
 */
export const keyboard = (terminal: KeyInput) => {
  const waiting: string[] = []
  const input = new PassThrough()
  let arrived = () => {}
  const take = (chunk: Buffer | string) => {
    // Between two questions the terminal is in its line mode, where Enter is another character.
    waiting.push(...(String(chunk).match(key) ?? []).map((typed) => (typed === '\n' ? '\r' : typed)))
    arrived()
  }

  /** Hands keys over, one a turn: the question that a key answers is over before the next one is handed over. */
  const hand = async (isOpen: () => boolean) => {
    while (isOpen()) {
      const typed = waiting.shift()
      if (typed === undefined) await new Promise<void>((resolve) => (arrived = resolve))
      else {
        input.write(typed)
        await nextTurn()
      }
    }
  }

  return {
    ask: async <Answer>(question: (input: Readable) => Promise<Answer>): Promise<Answer> => {
      let open = true
      terminal.setRawMode?.(true)
      terminal.on('data', take).resume()
      void hand(() => open)
      try {
        return await question(input)
      } finally {
        open = false
        arrived()
        terminal.off('data', take).pause()
        terminal.setRawMode?.(false)
      }
    },
  }
}
