import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { fixtureBucket, fixtureObjects, icebergFixture } from '@penstock/iceberg-fixtures'
import { type Aws, startAws } from '@penstock/testkit'

const commandLine = fileURLToPath(new URL('../../../apps/cli/bin/dev.ts', import.meta.url))

/** `penstock ui` as a process, in a project folder of its own, with a small lake and a catalog to look at. */
export interface WebView {
  readonly aws: Aws
  readonly folder: string
  /** Address with the token. */
  readonly url: string
  readonly process: ChildProcess
  stop(): Promise<number | null>
}

const lines = (count: number, line: (index: number) => string): string =>
  Array.from({ length: count }, (_, index) => `${line(index)}\n`).join('')

const fill = async (aws: Aws): Promise<void> => {
  const bucket = 'shop-lake'
  aws.s3.createBucket({ name: bucket })
  const put = (key: string, body: string | Buffer) =>
    aws.s3.putObject({ bucket, key, body: Buffer.from(body) })
  await put(
    'customers.csv',
    `customer_id,name,city,since\n${lines(200, (i) => `${String(i).padStart(5, '0')},Ada ${i},Zürich,2025-04-15`)}`,
  )
  for (const day of ['01', '02', '03'])
    await put(
      `orders/2026-04-${day}.csv.gz`,
      gzipSync(
        `order_id,placed_at,amount,channel\n${lines(1_000, (i) => `${i},2026-04-${day} 10:00:00,${i % 97}.50,web`)}`,
      ),
    )
  await put(
    'events/2026-04-01.ndjson',
    lines(500, (i) => `{"id":${i},"kind":"click","at":"2026-04-01T10:00:00Z"}`),
  )
  await put('broken.csv', `a,b\n${lines(20, (i) => `${i},${i}`)}x,y,too many\n`)
  aws.s3.createBucket({ name: fixtureBucket })
  for (const name of ['branches', 't_month'])
    for (const { key, path } of fixtureObjects(name))
      await aws.s3.putObject({ bucket: fixtureBucket, key, body: await readFile(path) })
  for (const database of ['sales', 'web']) aws.glue.createDatabase({ name: database })
  for (const name of ['branches', 't_month'])
    aws.glue.createTable({ database: 'sales', name, metadataLocation: icebergFixture(name).metadata })
  aws.glue.createTable({ database: 'sales', name: 'old', format: 'orc', location: 's3://fixtures/old/' })
}

export const startWebView = async (): Promise<WebView> => {
  const aws = await startAws()
  await fill(aws)
  const folder = await mkdtemp(join(tmpdir(), 'penstock-web-'))
  const child = spawn(
    process.execPath,
    ['--conditions=penstock:source', commandLine, 'ui', '--no-open', '--json'],
    {
      cwd: folder,
      env: {
        ...process.env,
        NODE_OPTIONS: '',
        AWS_ACCESS_KEY_ID: aws.root.accessKeyId,
        AWS_SECRET_ACCESS_KEY: aws.root.secretAccessKey,
      },
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  )
  const ended = once(child, 'close').then(([code]) => code as number | null)
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string]
  const { url } = JSON.parse(line) as { url: string }
  return {
    aws,
    folder,
    url,
    process: child,
    stop: async () => {
      child.kill('SIGINT')
      const code = await ended
      await aws.close()
      await rm(folder, { recursive: true, force: true })
      return code
    },
  }
}
