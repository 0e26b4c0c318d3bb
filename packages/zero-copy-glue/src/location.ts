import { ConnectorError } from '@penstock/core'

/** A place in S3. */
export interface Location {
  readonly bucket: string
  readonly key: string
}

/** `s3://bucket/key`, as engines write it: s3a and s3n mean the same. Throws `data` for files elsewhere. */
export const parseLocation = (location: string): Location => {
  const [, bucket, key] = /^s3[an]?:\/\/([^/]+)\/?(.*)$/s.exec(location) ?? []
  if (bucket !== undefined) return { bucket, key: key ?? '' }
  throw new ConnectorError('data', `${location} is not in S3.`, {
    code: 'UnsupportedLocation',
    hint: 'Files of a table have to be in S3, at s3://bucket/key.',
    place: { object: location },
  })
}
