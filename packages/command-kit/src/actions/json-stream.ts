import { toJson } from '../output.ts'

/**
 * An output with a list as JSON that is written while its items come, so that its size is no matter. However it ends,
 * it is one complete document.
 */
export interface JsonStream {
  item(item: unknown): Promise<void>
  end(output: Readonly<Record<string, unknown>>): Promise<void>
  readonly started: () => boolean
}

export const createJsonStream = (
  /** Field of the list. */
  list: string,
  write: (text: string) => Promise<unknown>,
  redact: (value: unknown) => unknown,
): JsonStream => {
  let count = 0
  let ended = false
  const indented = (value: unknown): string => toJson(redact(value)).replaceAll('\n', '\n    ')
  return {
    started: () => count > 0 && !ended,
    item: async (item) => {
      await write(`${count++ === 0 ? `{\n  ${JSON.stringify(list)}: [` : ','}\n    ${indented(item)}`)
    },
    end: async ({ [list]: items, ...rest }) => {
      if (count === 0) {
        await write(`${toJson(redact({ [list]: items ?? [], ...rest }))}\n`)
      } else {
        const fields = Object.entries(rest)
          .filter(([, value]) => value !== undefined)
          .map(
            ([name, value]) =>
              `,\n  ${JSON.stringify(name)}: ${toJson(redact(value)).replaceAll('\n', '\n  ')}`,
          )
        await write(`\n  ]${fields.join('')}\n}\n`)
      }
      ended = true
    },
  }
}
