import { generateKey } from 'openpgp'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { accessOf } from '../src/access.ts'
import { type Bench, openBench } from './bench.ts'

let bench: Bench & AsyncDisposable
beforeAll(async () => {
  bench = await openBench()
})
afterAll(() => bench[Symbol.asyncDispose]())

const inParts = { file: -1, total: 0 }
const headOf = (key: string) => bench.use((context) => accessOf(context).head(key))

it.each([
  ['held', undefined],
  ['parts', inParts],
])(
  'objects have the settings of the connection, notes and manifest what has to be readable: %s',
  async (name, hold) => {
    const { manifest = '' } = await bench.write({
      ...(hold ? { hold } : {}),
      fields: {
        encryption: 'sse-kms',
        kmsKeyId: 'arn:aws:kms:us-east-1:111122223333:key/0d3a4c5e-6f70-4a1b-9c2d-3e4f5a6b7c8d',
        storageClass: 'STANDARD_IA',
        tags: { team: 'sales', 'cost centre': 'a/b +c' },
        metadata: { Origin: 'crm' },
        cacheControl: 'max-age=60',
        contentEncoding: 'gzip',
      },
      options: { fileName: name, compression: 'gzip', manifest: true },
    })
    const head = await headOf(`${name}.csv.gz`)
    expect(head).toMatchObject({
      entry: { storageClass: 'STANDARD_IA' },
      contentType: 'application/gzip',
      contentEncoding: 'gzip',
      cacheControl: 'max-age=60',
      encryption: 'aws:kms',
      tags: 2,
      metadata: { origin: 'crm', 'penstock-export': 'nightly' },
    })
    const listed = await headOf(manifest)
    expect(listed).toMatchObject({ contentType: 'application/json', encryption: 'aws:kms' })
    expect(listed.entry.storageClass).toBeUndefined()
  },
)

it.each([
  ['held', undefined],
  ['parts', inParts],
])('files are encrypted for the key of the export: %s', async (name, hold) => {
  const { publicKey } = await generateKey({ userIDs: [{ name: 'Ada' }], format: 'armored' })
  const { files } = await bench.write({
    ...(hold ? { hold } : {}),
    options: { fileName: `secret-${name}`, publicKey },
    streams: [{ files: ['id\n1\n2\n'] }],
  })
  expect(files[0]).toMatchObject({ name: `secret-${name}.csv.gpg`, rows: 3 })
  const body = await bench.body(`secret-${name}.csv.gpg`)
  expect(body).not.toContain('id\n1')
  expect((await headOf(`secret-${name}.csv.gpg`)).entry.size).toBe(files[0]?.size)
})
