import { ConnectorError, type ScanFile } from '@penstock/core'
import type { ScanContext } from './context.ts'
import type { ParquetPlan } from './parquet-file.ts'

/** Plans a file of another format. */
export const planOther = (_context: ScanContext, { file, format }: ScanFile): ParquetPlan => {
  throw new ConnectorError('data', `${file.url} is ${format.type}, which can't be queried in place.`, {
    code: 'UnsupportedFormat',
    place: { object: file.url },
  })
}
