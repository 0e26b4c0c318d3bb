import { z } from 'zod'

/** Options of one export. */
export const options = z.strictObject({
  replace: z.enum(['delete', 'truncate']).default('delete').meta({
    title: 'How overwrite replaces',
    description:
      'delete: readers see the old rows until the new ones are complete; truncate leaves no dead rows, and keeps readers waiting meanwhile',
  }),
  adopt: z.boolean().default(false).meta({
    title: 'Adopt',
    description: 'Let overwrite replace the rows of a table that others have written to',
  }),
  newColumns: z
    .enum(['add', 'refuse'])
    .default('add')
    .meta({ title: 'New columns', description: 'Add columns that a table lacks, or refuse to write' }),
})

export type PostgresExportOptions = z.output<typeof options>
