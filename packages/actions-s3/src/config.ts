import { type awsAuthMethods, checkEndpointSecurity, s3ConnectionFields } from '@penstock/aws'
import type { ActionContextOf } from '@penstock/core'
import { z } from 'zod'

/** Fields of a connection. A bucket is what actions use that are given none. */
export const config = z
  .strictObject({
    ...s3ConnectionFields,
    bucket: s3ConnectionFields.bucket
      .optional()
      .meta({ title: 'Bucket', description: 'Bucket of what is given as a key alone' }),
  })
  .superRefine(checkEndpointSecurity)

export type S3ActionsConfig = z.output<typeof config>

export type S3ActionContext = ActionContextOf<typeof config, typeof awsAuthMethods>
