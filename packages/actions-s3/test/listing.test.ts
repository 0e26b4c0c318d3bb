import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { withContext } from '@penstock/core'
import { expect, onTestFinished, test } from 'vitest'
import { listFiles, listFolders, s3Actions } from '../src/index.ts'

const pageSize = 1000
const padded = (index: number) => String(index).padStart(6, '0')

/** A bucket of so many objects, or folders where a delimiter is asked for, which nobody has to put there. */
const hugeBucket = async (count: number) => {
  let pages = 0
  const server = createServer((request, response) => {
    const query = new URL(request.url ?? '', 'http://localhost').searchParams
    const start = Number(query.get('continuation-token') ?? 0)
    const end = Math.min(count, start + pageSize)
    pages++
    const names = Array.from({ length: end - start }, (_, index) => padded(start + index))
    const entries = query.has('delimiter')
      ? names.map((name) => `<CommonPrefixes><Prefix>${name}/</Prefix></CommonPrefixes>`)
      : names.map(
          (name) =>
            `<Contents><Key>part-${name}</Key><LastModified>2026-01-02T03:04:05.000Z</LastModified><ETag>"e"</ETag><Size>1</Size></Contents>`,
        )
    const more = end < count ? `<NextContinuationToken>${end}</NextContinuationToken>` : ''
    response.end(
      `<ListBucketResult><IsTruncated>${end < count}</IsTruncated>${more}${entries.join('')}</ListBucketResult>`,
    )
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  const connection = s3Actions({
    region: 'us-east-1',
    bucket: 'lake',
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    auth: { method: 'access-key', accessKeyId: 'AKIAEXAMPLE', secretAccessKey: 'secret-of-nobody' },
  })
  return { connection, pages: () => pages }
}

test.each([
  ['files', listFiles, (item: unknown) => (item as { key: string }).key.slice('part-'.length)],
  ['folders', listFolders, (item: unknown) => (item as { prefix: string }).prefix.slice(0, -1)],
] as const)(
  '100,000 %s are handed out one by one, and no page is asked for before it is wanted',
  async (_name, list, nameOf) => {
    const { connection, pages } = await hugeBucket(100_000)
    const go = Promise.withResolvers<void>()
    let count = 0
    const wrong: unknown[] = []
    const listing = withContext(
      connection,
      (context): Promise<unknown> =>
        list({ ...context, onProgress: () => {} }, {}, async (item) => {
          if (count === 0) await go.promise
          if (nameOf(item) !== padded(count)) wrong.push(item)
          count++
        }),
    )
    while (pages() === 0) await pause(1)
    await pause(50)
    // The page that is read, and one that is on its way.
    expect(pages()).toBeLessThanOrEqual(2)
    go.resolve()
    const output = await listing
    expect(wrong).toEqual([])
    expect(count).toBe(100_000)
    expect(output).toMatchObject({ count: 100_000 })
    expect(pages()).toBe(100)
  },
)
