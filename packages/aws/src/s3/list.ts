import type { S3ListOptions, S3Page } from './access.ts'
import type { S3Client } from './client.ts'
import { scanListing } from './list-xml.ts'

/** Pages of ListObjectsV2. While a page is used, the next one is under way. */
export async function* listObjects(client: S3Client, options: S3ListOptions = {}): AsyncGenerator<S3Page> {
  const stop = new AbortController()
  const signal = AbortSignal.any([client.signals(options.signal), stop.signal])
  const context = client.context('ListObjectsV2', 's3:ListBucket')

  const page = (token: string | undefined) =>
    client.retrying(context, { signal }, () =>
      client.attempt({ method: 'GET', query: listQuery(options, token), signal }, context, async (response) =>
        scanListing(await response.body.text(), client.bucket),
      ),
    )

  try {
    let pending: ReturnType<typeof page> | undefined = page(undefined)
    while (pending) {
      const { entries, prefixes, next }: Awaited<ReturnType<typeof page>> = await pending
      pending = next === undefined ? undefined : page(next)
      // A failure is thrown where it is awaited; until then it must not end the process.
      pending?.catch(() => {})
      yield { entries, prefixes }
    }
  } finally {
    stop.abort()
  }
}

const listQuery = (options: S3ListOptions, token: string | undefined): Record<string, string> => ({
  'list-type': '2',
  'encoding-type': 'url',
  ...(options.prefix ? { prefix: options.prefix } : {}),
  ...(options.delimiter ? { delimiter: options.delimiter } : {}),
  ...(options.pageSize === undefined ? {} : { 'max-keys': String(options.pageSize) }),
  ...(token === undefined
    ? options.startAfter
      ? { 'start-after': options.startAfter }
      : {}
    : { 'continuation-token': token }),
})
