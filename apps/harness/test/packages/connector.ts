import { defineSource, table } from '@penstock/core'
import { z } from 'zod'

/** A source that needs no service; `loses` leaves out a row in each second read. */
export const numbers = (loses: boolean) => {
  let reads = 0
  return defineSource({
    name: 'source-numbers',
    config: z.strictObject({ count: z.int().default(3).describe('How many <numbers>') }),
    check: async () => {},
    tables: ({ config: { count } }) => [
      table({
        name: 'numbers',
        row: z.object({ id: z.int() }),
        key: ['id'],
        async *read() {
          const less = loses && reads++ % 2 === 1 ? 1 : 0
          yield Array.from({ length: count - less }, (_, id) => ({ id }))
        },
      }),
    ],
  })
}
