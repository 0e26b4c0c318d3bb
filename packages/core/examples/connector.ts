import { connect, defineSource, secret, table } from '@penstock/core'
import { z } from 'zod'

// node --conditions=penstock:source examples/connector.ts
// A connector in one file, and what the contract makes of it: a validated configuration, secrets that do not print,
// tables whose types come from one schema. Runs without an engine, on rows from memory.
const measurements = [
  { id: 1, at: '2026-01-01T00:00:00Z', degrees: 3.5 },
  { id: 2, at: '2026-01-02T00:00:00Z', degrees: -1 },
]

const weather = defineSource({
  name: 'weather',
  config: z.object({ station: z.string().describe('Name of the station'), token: secret() }),
  check: async ({ config }) => {
    if (config.token.reveal() !== 'open sesame') throw new Error('The station refuses this token.')
  },
  tables: () => [
    table({
      name: 'measurements',
      row: z.object({ id: z.int(), at: z.iso.datetime(), degrees: z.number() }),
      key: ['id'],
      cursor: 'at',
      async *read({ since }) {
        yield measurements.filter(({ at }) => since === undefined || at > since)
      },
    }),
  ],
})

const connection = connect(weather, { station: 'Zugspitze', token: 'open sesame' })
console.log('configuration:', JSON.stringify(connection.config))

try {
  connect(weather, { station: 'Zugspitze', token: '' })
} catch (error) {
  console.log('refused:', error instanceof Error ? error.message : error)
}
