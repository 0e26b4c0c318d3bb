import { decimal } from '@penstock/core'
import { z } from 'zod'

/** A ticket as Acme tells it: columns of a table, and fields of a result. */
export const ticket = z.object({
  id: z.int(),
  project: z.string(),
  subject: z.string(),
  status: z.enum(['open', 'closed']),
  hours: decimal(9, 2).meta({ description: 'Hours spent, exact' }),
  updated_at: z.iso.datetime(),
})
