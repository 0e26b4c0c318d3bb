import { awsPartition } from '../connection/endpoint.ts'

/** What a policy is about: a bucket, or the keys of it that begin with a prefix. */
export interface PolicyTarget {
  /** Left out: every bucket that the account reaches. */
  readonly bucket?: string | undefined
  readonly prefix?: string | undefined
  /** Its partition decides how ARNs begin. */
  readonly region?: string | undefined
}

/** `*`, `?` and `${` have a meaning in ARNs and in StringLike. */
export const literal = (text: string): string => text.replace(/[*?$]/g, (character) => `\${${character}}`)

/** All buckets, where the target has none. */
export const bucketArn = ({ bucket, region }: PolicyTarget): string =>
  `arn:${awsPartition(region).id}:s3:::${bucket ?? '*'}`

export const objectsArn = (target: PolicyTarget): string =>
  `${bucketArn(target)}/${literal(target.prefix ?? '')}*`
