import type { S3Client } from './client.ts'
import { decodeXml } from './error-xml.ts'
import { blocks, resultXml } from './xml.ts'

/** GetObjectTagging. */
export const objectTags = async (
  client: S3Client,
  key: string,
  options: { readonly signal?: AbortSignal | undefined; readonly versionId?: string | undefined } = {},
): Promise<Readonly<Record<string, string>>> => {
  const { versionId } = options
  const signal = client.signals(options.signal)
  const action = versionId === undefined ? 's3:GetObjectTagging' : 's3:GetObjectVersionTagging'
  const context = client.context('GetObjectTagging', action, key)
  const query = { tagging: '', ...(versionId === undefined ? {} : { versionId }) }
  const xml = await client.retrying(context, { signal }, () =>
    client.attempt({ method: 'GET', query, signal }, context, (response) => resultXml(response, 'Tagging')),
  )
  return Object.fromEntries(
    blocks(xml, 'Tag').map((tag) => [
      decodeXml(blocks(tag, 'Key')[0] ?? ''),
      decodeXml(blocks(tag, 'Value')[0] ?? ''),
    ]),
  )
}
