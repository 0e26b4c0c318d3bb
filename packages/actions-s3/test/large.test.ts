import { truncateSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { withContext } from '@penstock/core'
import { expect, onTestFinished, test } from 'vitest'
import { s3Actions, uploadFile } from '../src/index.ts'

/*
 * A sparse file of many GiB to a server that keeps nothing: PENSTOCK_LARGE_GIB=50 pnpm exec vitest run --project
 * @penstock/actions-s3 large. It takes some seconds a GiB, and no disk.
 */

const gibibytes = Number(process.env.PENSTOCK_LARGE_GIB ?? 0)
const GiB = 2 ** 30

/** Takes uploads in parts, counts their bytes and forgets them. */
const discardingServer = async () => {
  const parts = new Map<number, number>()
  let completed = 0
  const server = createServer((request, response) => {
    const query = new URL(request.url ?? '', 'http://localhost').searchParams
    let bytes = 0
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length
    })
    request.on('end', () => {
      const number = Number(query.get('partNumber'))
      if (number > 0) {
        parts.set(number, bytes)
        return response.setHeader('etag', `"${number}"`).end()
      }
      if (query.has('uploads'))
        return response.end(
          '<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>',
        )
      completed++
      return response.end(
        '<CompleteMultipartUploadResult><ETag>"done"</ETag></CompleteMultipartUploadResult>',
      )
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  const { port } = server.address() as AddressInfo
  return { endpoint: `http://127.0.0.1:${port}`, parts, completed: () => completed }
}

test.skipIf(gibibytes === 0)(
  `a file of ${gibibytes} GiB goes up within bounded memory`,
  async () => {
    const folder = await mkdtemp(join(tmpdir(), 'penstock-large-'))
    onTestFinished(() => rm(folder, { recursive: true }))
    process.env.PENSTOCK_STATE_DIR = join(folder, 'state')
    const source = join(folder, 'sparse')
    writeFileSync(source, '')
    truncateSync(source, gibibytes * GiB)
    const server = await discardingServer()
    const connection = s3Actions({
      region: 'us-east-1',
      bucket: 'lake',
      endpoint: server.endpoint,
      auth: { method: 'access-key', accessKeyId: 'AKIAEXAMPLE', secretAccessKey: 'secret-of-nobody' },
    })
    const before = process.memoryUsage().rss
    let peak = 0
    const watch = setInterval(() => {
      peak = Math.max(peak, process.memoryUsage().rss - before)
    }, 100)
    onTestFinished(() => clearInterval(watch))
    const written = await withContext(connection, (context) => uploadFile(context, { source, to: 'sparse' }))
    const sizes = [...server.parts.values()]
    expect(written.size).toBe(gibibytes * GiB)
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(gibibytes * GiB)
    expect(sizes.length).toBeLessThanOrEqual(10_000)
    expect(server.completed()).toBe(1)
    // Server and client share this process.
    expect(peak).toBeLessThan(600 * 2 ** 20)
  },
  7_200_000,
)
