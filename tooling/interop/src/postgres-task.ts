import { type PostgresDestinationInput, postgresDestination } from '@penstock/destination-postgres'
import type { ExportOptions } from '@penstock/runtime'

export type Mode = 'append' | 'overwrite' | 'merge'

/** Two streams of one run: a table in several files, and a query. */
export const interopTask = (input: PostgresDestinationInput, mode: Mode): Omit<ExportOptions, 'engine'> => ({
  destination: postgresDestination(input, { name: 'wh' }),
  name: `killed-${mode}`,
  mode,
  streams: [
    { table: 'orders', name: `orders_${mode}`, ...(mode === 'merge' && { key: ['id'] }) },
    {
      sql: 'SELECT id % 7 AS g, count(*) AS n FROM orders GROUP BY g',
      name: `sums_${mode}`,
      ...(mode !== 'append' && { key: ['g'] }),
    },
  ],
})
