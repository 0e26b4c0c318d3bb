import type { S3Client } from './client.ts'
import { errorFields } from './error-xml.ts'
import { plainETag } from './head.ts'
import type { S3Response } from './transport.ts'
import type { S3OpenUpload, S3UploadPart } from './write-access.ts'
import { blocks, resultXml } from './xml.ts'

/** One answer of a listing: its own elements, and those of each entry. */
interface Page {
  readonly fields: Readonly<Record<string, string>>
  readonly entries: readonly Readonly<Record<string, string>>[]
}

const page = async (response: S3Response, root: string, entry: string): Promise<Page> => {
  const xml = await resultXml(response, root)
  const content = blocks(xml, entry)
  const outer = xml.replaceAll(new RegExp(`<${entry}>.*?</${entry}>`, 'gs'), '')
  return { fields: errorFields(outer), entries: content.map(errorFields) }
}

const decode = (text: string): string => decodeURIComponent(text.replaceAll('+', ' '))

/** ListMultipartUploads, page by page. */
export async function* listUploads(
  client: S3Client,
  options: { readonly prefix?: string | undefined; readonly signal?: AbortSignal | undefined } = {},
): AsyncGenerator<readonly S3OpenUpload[]> {
  const signal = client.signals(options.signal)
  const context = client.context('ListMultipartUploads', 's3:ListBucketMultipartUploads')
  let marker: Record<string, string> = {}
  for (;;) {
    const query = {
      uploads: '',
      'encoding-type': 'url',
      ...(options.prefix ? { prefix: options.prefix } : {}),
      ...marker,
    }
    const { fields, entries } = await client.retrying(context, { signal }, () =>
      client.attempt({ method: 'GET', query, signal }, context, (response) =>
        page(response, 'ListMultipartUploadsResult', 'Upload'),
      ),
    )
    const text = fields.EncodingType === 'url' ? decode : (value: string) => value
    yield entries.map(({ Key = '', UploadId = '', Initiated = '' }) => ({
      key: text(Key),
      uploadId: UploadId,
      initiated: Date.parse(Initiated) || 0,
    }))
    if (fields.IsTruncated !== 'true') return
    marker = {
      'key-marker': text(fields.NextKeyMarker ?? ''),
      'upload-id-marker': fields.NextUploadIdMarker ?? '',
    }
  }
}

/** ListParts, page by page. */
export async function* listParts(
  client: S3Client,
  key: string,
  uploadId: string,
  options: { readonly signal?: AbortSignal | undefined } = {},
): AsyncGenerator<readonly S3UploadPart[]> {
  const signal = client.signals(options.signal)
  const context = client.context('ListParts', 's3:ListMultipartUploadParts', key)
  let marker: string | undefined
  for (;;) {
    const query = { uploadId, ...(marker === undefined ? {} : { 'part-number-marker': marker }) }
    const { fields, entries } = await client.retrying(context, { signal }, () =>
      client.attempt({ method: 'GET', query, signal }, context, (response) =>
        page(response, 'ListPartsResult', 'Part'),
      ),
    )
    yield entries.map(({ PartNumber, ETag, Size, ChecksumCRC64NVME }) => ({
      number: Number(PartNumber),
      etag: plainETag(ETag),
      size: Number(Size),
      ...(ChecksumCRC64NVME === undefined ? {} : { crc64nvme: ChecksumCRC64NVME }),
    }))
    if (fields.IsTruncated !== 'true') return
    marker = fields.NextPartNumberMarker ?? ''
  }
}
