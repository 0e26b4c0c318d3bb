import { type AwsAuthentication, checkEndpointSecurity, s3ConnectionFields } from '@penstock/aws'
import type { ConnectorContext } from '@penstock/core'
import { z } from 'zod'

/** Fields of a connection. `prefix` confines all of it: what is listed, read and named in the policy. */
export const config = z
  .strictObject({
    ...s3ConnectionFields,
    prefix: z
      .string()
      .min(1)
      .refine((prefix) => !prefix.startsWith('/'), 'must not begin with a slash: keys do not')
      .overwrite((prefix) => (prefix.endsWith('/') ? prefix : `${prefix}/`))
      .optional()
      .meta({
        title: 'Prefix',
        description: 'Folder that the whole connection is confined to, its policy included',
        examples: ['exports/sales/'],
      }),
  })
  .superRefine(checkEndpointSecurity)

export type S3SourceConfig = z.output<typeof config>

export type S3Context = ConnectorContext<S3SourceConfig, AwsAuthentication>
