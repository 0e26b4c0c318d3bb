import { createHash, randomBytes } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import {
  apiCall,
  copy,
  createBucket,
  deleteObjects,
  downloadFile,
  head,
  listFiles,
  listFolders,
  move,
  presign,
  type S3ActionContext,
  s3Actions,
  sync,
  uploadFile,
} from '@penstock/actions-s3'
import { withContext } from '@penstock/core'
import { type Aws, startAws } from '@penstock/testkit'
import { afterAll, beforeAll, describe, expect, type TestContext, test } from 'vitest'
import type { ForeignClient } from '../src/clients/client.ts'
import { foreignClients } from '../src/clients/index.ts'
import { type ForeignLake, openForeignLake } from '../src/foreign-lake.ts'
import { findPython } from '../src/programs.ts'
import { run } from '../src/run.ts'
import { foreignServers } from '../src/servers/index.ts'

/* Actions against S3 servers that others wrote; what they write is read by boto3, and by other clients. */

const MiB = 1024 ** 2
const bucket = 'interop'
const small = randomBytes(10_000)
/** Three parts. */
const large = randomBytes(17 * MiB + 1)
const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex')

interface Digests {
  readonly objects: Readonly<
    Record<
      string,
      { readonly sha256: string; readonly type: string; readonly metadata: Record<string, string> }
    >
  >
  readonly uploads: number
}

/** What boto3 reads of the bucket. */
const digests = async ({ server }: ForeignLake): Promise<Digests> => {
  const found = findPython('boto3')
  if ('missing' in found) throw new Error(found.missing)
  const script = fileURLToPath(new URL('../src/digest.py', import.meta.url))
  const { accessKeyId, secretAccessKey } = server
  const environment = { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey }
  const { output } = await run(found.python, [script, server.endpoint, server.region, bucket], {
    environment,
  })
  return JSON.parse(output.toString()) as Digests
}

describe.each(foreignServers.map((server) => [server.name, server] as const))(
  'actions on %s',
  (_, foreign) => {
    let opened: ForeignLake | { readonly missing: string }
    beforeAll(async () => {
      opened = await openForeignLake(foreign)
    }, 180_000)
    afterAll(async () => {
      if (opened && !('missing' in opened)) await opened.close()
    })

    const lakeOf = (context: TestContext): ForeignLake =>
      'missing' in opened ? context.skip(opened.missing) : opened

    const use = <Result>(lake: ForeignLake, work: (context: S3ActionContext) => Promise<Result>) => {
      const { endpoint, region, accessKeyId, secretAccessKey } = lake.server
      const connection = s3Actions({
        ...{ endpoint, region, bucket, maxAttempts: 4 },
        ...(foreign.lacks?.checksums ? { checksums: 'when-required' as const } : {}),
        auth: { method: 'access-key', accessKeyId, secretAccessKey },
      })
      return withContext(connection, (context) => work({ ...context, onProgress: () => {} }))
    }

    test('uploads in one request, in parts and from stdin are what boto3 reads', async (context) => {
      const lake = lakeOf(context)
      const source = join(lake.folder, 'large.bin')
      writeFileSync(source, large)
      writeFileSync(join(lake.folder, 'small.csv'), small)
      await use(lake, async (actions) => {
        await uploadFile(actions, {
          source: join(lake.folder, 'small.csv'),
          to: 'up/',
          metadata: { run: '7' },
        })
        await uploadFile(actions, { source, to: 'up/large.bin' })
        const stdin = (async function* () {
          for (let start = 0; start < large.length; start += 70_000)
            yield large.subarray(start, start + 70_000)
        })()
        await uploadFile({ ...actions, stdin }, { source: '-', to: 'up/stdin.bin' })
        writeFileSync(join(lake.folder, 'empty'), '')
        await uploadFile(actions, { source: join(lake.folder, 'empty'), to: 'up/empty' })
      })
      const { objects, uploads } = await digests(lake)
      expect(uploads).toBe(0)
      expect(objects['up/small.csv']).toMatchObject({
        sha256: sha256(small),
        type: 'text/csv',
        metadata: { run: '7' },
      })
      expect(objects['up/large.bin']?.sha256).toBe(sha256(large))
      expect(objects['up/stdin.bin']?.sha256).toBe(sha256(large))
      expect(objects['up/empty']?.sha256).toBe(sha256(Buffer.alloc(0)))
    })

    test('what boto3 wrote is listed, downloaded and described', async (context) => {
      const lake = lakeOf(context)
      await lake.change({
        put: { 'in/a b+c.bin': small, 'in/x/ü.bin': 'two' },
        large: { key: 'in/large.bin', body: large },
      })
      await use(lake, async (actions) => {
        const { files } = await listFiles(actions, { prefix: 'in/' })
        expect(files.map(({ key, size }) => [key, size])).toEqual([
          ['in/a b+c.bin', small.length],
          ['in/large.bin', large.length],
          ['in/x/ü.bin', 3],
        ])
        expect((await listFolders(actions, { prefix: 'in/' })).folders).toEqual([{ prefix: 'in/x/' }])
        expect(await head(actions, { path: 'in/large.bin' })).toMatchObject({ size: large.length })
        const to = join(lake.folder, 'down.bin')
        await downloadFile(actions, { path: 'in/large.bin', to })
        expect(readFileSync(to).equals(large)).toBe(true)
        const { url } = await presign(actions, { path: 'in/a b+c.bin', expiresIn: '5m' })
        expect(Buffer.from(await (await fetch(url)).arrayBuffer()).equals(small)).toBe(true)
        const answer = await apiCall(actions, { url: `/${bucket}?list-type=2&prefix=in/x/%C3%BC` })
        expect(answer.body).toContain('<KeyCount>1</KeyCount>')
      })
    })

    test('copy, move, delete and sync do what boto3 sees', async (context) => {
      const lake = lakeOf(context)
      const folder = join(lake.folder, 'tree')
      mkdirSync(join(folder, 'sub'), { recursive: true })
      for (const name of ['a.txt', 'sub/b.txt', 'sub/c &.txt']) writeFileSync(join(folder, name), name)
      const below = async (prefix: string) =>
        Object.keys((await digests(lake)).objects).filter((key) => key.startsWith(prefix))
      await use(lake, async (actions) => {
        await sync(actions, { from: folder, to: `s3://${bucket}/s/` })
        expect(await below('s/')).toEqual(['s/a.txt', 's/sub/b.txt', 's/sub/c &.txt'])
        await copy(actions, { from: 's/', to: 't/', recursive: true })
        await move(actions, { from: 't/a.txt', to: 'u/' })
        expect(await below('t/')).toEqual(['t/sub/b.txt', 't/sub/c &.txt'])
        expect(await below('u/')).toEqual(['u/a.txt'])
        expect(await deleteObjects(actions, { path: 't/', recursive: true })).toMatchObject({ deleted: 2 })
        expect(await below('t/')).toEqual([])
        const down = join(lake.folder, 'tree-down')
        expect(await sync(actions, { from: `s3://${bucket}/s/`, to: down })).toMatchObject({ downloaded: 3 })
        expect(readFileSync(join(down, 'sub/c &.txt'), 'utf8')).toBe('sub/c &.txt')
      })
    })

    test('a bucket is made', async (context) => {
      const lake = lakeOf(context)
      const made = await use(lake, (actions) => createBucket(actions, { bucket: 'interop-two' }))
      expect(made.created).toBe(true)
    })
  },
)

describe.each(foreignClients.map((kind) => [kind.name, kind] as const))(
  'what actions write is read by %s',
  (_, kind) => {
    let aws: Aws
    let folder: string
    let client: ForeignClient | { readonly missing: string }
    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'penstock-interop-'))
      aws = await startAws()
      aws.s3.createBucket({ name: bucket })
      client = await kind.open({ aws, bucket }, folder)
    })
    afterAll(async () => {
      await aws?.close()
      await rm(folder, { recursive: true, force: true })
    })

    test.for([
      ['small', small],
      ['in parts', large],
    ] as const)('%s', async ([name, body], context) => {
      if ('missing' in client) return context.skip(`${kind.name}: ${client.missing}`)
      const source = join(folder, 'source')
      await writeFile(source, body)
      const key = `actions/${name} +ü.bin`
      const connection = s3Actions({
        ...{ endpoint: aws.endpoint, region: 'us-east-1', bucket },
        auth: { method: 'access-key', ...aws.root },
      })
      await withContext(connection, (context) => uploadFile(context, { source, to: key }))
      const target = join(folder, 'target')
      await client.get(key, target)
      expect((await readFile(target)).equals(body)).toBe(true)
      expect(await client.list('actions/')).toContain(key)
    })
  },
)
