import { type AnySource, defineAuth, defineSource, secret } from '@penstock/core'
import { z } from 'zod'

const keys = defineAuth({
  id: 'access-key',
  title: 'Access key',
  fields: z.strictObject({
    accessKeyId: z.string().regex(/^[A-Z0-9]+$/, 'must consist of capital letters and digits'),
    secretAccessKey: secret().describe('Secret access key'),
  }),
  resolve: (fields) => fields,
})

const anonymous = defineAuth({
  id: 'anonymous',
  title: 'No credentials',
  fields: z.strictObject({}),
  resolve: () => undefined,
})

/** A small connector with the kinds of fields that a project file has to deal with. For tests. */
export const testConnector: AnySource = defineSource({
  name: 'source-test',
  title: 'Test',
  config: z.object({
    region: z
      .string()
      .regex(/^[a-z]+-\d$/, 'must look like north-1')
      .describe('Region'),
    bucket: z.string().min(3).describe('Bucket'),
    endpoint: z.url().optional().describe('Endpoint'),
    forcePathStyle: z.boolean().optional().describe('Path style'),
    retries: z.int().min(0).optional().describe('Retries'),
  }),
  auth: [keys, anonymous],
  selection: z.strictObject({
    object: z.union([z.string(), z.array(z.string())]).optional(),
    folder: z.string().optional(),
    table: z.string().optional(),
    recursive: z.boolean().default(true),
  }),
  check: async () => {},
  tables: () => [],
  select: () => [],
})
