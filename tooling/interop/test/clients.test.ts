import { randomBytes } from 'node:crypto'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Aws, startAws } from '@penstock/testkit'
import { afterAll, afterEach, beforeAll, describe, expect, type TestContext, test } from 'vitest'
import type { ForeignClient } from '../src/clients/client.ts'
import { foreignClients } from '../src/clients/index.ts'

/* The embedded S3 against clients that others wrote. Bytes are compared in the store and after the way back. */

const bucket = 'interop'
const oddKeys = [
  'odd/with space +plus.bin',
  'odd/100% ünï 漢字 😀.bin',
  "odd/quote's.bin",
  'odd/a&b=c;d,e.bin',
  'odd/%2F (round)~@$.bin',
]
const large = 12 * 1024 ** 2 + 1

describe.each(foreignClients.map((kind) => [kind.name, kind] as const))('%s', (_, kind) => {
  let aws: Aws
  let folder: string
  let client: ForeignClient | { readonly missing: string }
  let files = 0

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
  afterEach(() => {
    const defects = aws.log.entries().filter(({ internalError }) => internalError !== undefined)
    const unknown = aws.log.entries().filter(({ errorCode }) => errorCode === 'NotImplemented')
    aws.log.clear()
    expect([...defects, ...unknown]).toEqual([])
  })

  const clientOf = (context: TestContext): ForeignClient => {
    if ('missing' in client) return context.skip(`${kind.name}: ${client.missing}`)
    return client
  }
  const newFile = () => join(folder, `file-${files++}`)
  const roundTrip = async (used: ForeignClient, key: string, body: Buffer) => {
    const [from, to] = [newFile(), newFile()]
    await writeFile(from, body)
    await used.put(key, from)
    expect((await aws.s3.getObject(bucket, key)).equals(body)).toBe(true)
    await used.get(key, to)
    expect((await readFile(to)).equals(body)).toBe(true)
  }

  test('puts and gets empty and small objects', async (context) => {
    const used = clientOf(context)
    for (const size of [0, 1, 100_000]) await roundTrip(used, `sizes/${size}.bin`, randomBytes(size))
  })

  test('puts and gets keys of odd characters', async (context) => {
    const used = clientOf(context)
    for (const key of oddKeys) await roundTrip(used, key, Buffer.from(key))
    expect((await used.list('odd/')).toSorted()).toEqual(oddKeys.toSorted())
  })

  test('puts and gets a large object in parts', async (context) => {
    const used = clientOf(context)
    await roundTrip(used, 'large.bin', randomBytes(large))
    const operations = new Set(aws.log.entries().map(({ operation }) => operation))
    expect(operations).toContain('UploadPart')
    expect(aws.s3.listUploads(bucket)).toEqual([])
  })

  test('lists more than a page', async (context) => {
    const used = clientOf(context)
    const keys = Array.from({ length: 2100 }, (__, index) => `many/${String(index).padStart(4, '0')} é+.txt`)
    for (const key of keys) await aws.s3.putObject({ bucket, key, body: '' })
    expect((await used.list('many/')).toSorted()).toEqual(keys)
  })

  test('copies, and deletes', async (context) => {
    const used = clientOf(context)
    const body = randomBytes(1000)
    await aws.s3.putObject({ bucket, key: 'copy/from ü+.bin', body })
    await used.copy('copy/from ü+.bin', 'copy/to ü+.bin')
    expect((await aws.s3.getObject(bucket, 'copy/to ü+.bin')).equals(body)).toBe(true)
    await used.remove('copy/from ü+.bin')
    expect(aws.s3.listKeys(bucket, 'copy/')).toEqual(['copy/to ü+.bin'])
  })

  test('presigns', async (context) => {
    const used = clientOf(context)
    if (!used.presign) return context.skip(`${kind.name}: it does not presign`)
    await aws.s3.putObject({ bucket, key: 'signed/ü +.txt', body: 'signed' })
    const url = await used.presign('signed/ü +.txt')
    const answer = await fetch(url)
    expect([answer.status, await answer.text()]).toEqual([200, 'signed'])
    expect((await fetch(url.replace(/signed/, 'other'))).status).toBe(403)
  })
})
