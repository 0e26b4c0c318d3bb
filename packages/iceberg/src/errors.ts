import { ConnectorError } from '@penstock/core'

/** The bytes of a file of the table are not what the format says. No row is given from such a table. */
export const corrupt = (object: string, what: string, cause?: unknown): ConnectorError =>
  new ConnectorError('data', `${what} in ${object}.`, {
    code: 'CorruptIcebergFile',
    place: { object },
    hint: 'The file is damaged or was written by a faulty program. Restore it, or query an older snapshot that does not use it.',
    ...(cause === undefined ? {} : { cause }),
  })

/** Something that exists in Iceberg and that is not read here: refused by name, never answered wrongly. */
export const unsupported = (what: string, hint: string, object?: string): ConnectorError =>
  new ConnectorError('data', `${what} can't be read.`, {
    code: 'UnsupportedIcebergFeature',
    hint,
    ...(object === undefined ? {} : { place: { object } }),
  })
