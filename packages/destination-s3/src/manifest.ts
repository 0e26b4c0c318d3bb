import type { RunRecord } from './state/documents.ts'
import { isoDateTime } from './template/time.ts'

/** One file in a manifest. The first three fields are what readers of such manifests know; the rest is added. */
interface ExportResult {
  /** Key in the bucket. */
  readonly sinkPath: string
  readonly name: string
  /** Bytes. */
  readonly size: number
  readonly rows: number
  readonly etag: string
  /** Algorithm and base64: `CRC64NVME:...`. */
  readonly checksum?: string
  readonly stream: string
  readonly schema: readonly { readonly name: string; readonly type: string }[]
}

/** JSON of a run's manifest: section 3 of the connector specification. */
export const manifestOf = (record: RunRecord): string => {
  const exportResults = record.files.map((file): ExportResult => {
    const { key, size, rows, etag, checksum, stream } = file
    return {
      sinkPath: key,
      name: key.slice(key.lastIndexOf('/') + 1),
      size,
      rows,
      etag,
      ...(checksum === undefined ? {} : { checksum }),
      stream,
      schema: record.schemas[stream] ?? [],
    }
  })
  const content = {
    flowRunId: record.commitId,
    scheduledTime: isoDateTime(new Date(record.scheduledTime ?? record.loadTime)),
    exportResults,
  }
  return `${JSON.stringify(content, undefined, 2)}\n`
}
