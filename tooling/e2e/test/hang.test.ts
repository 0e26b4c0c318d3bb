import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { duckdb } from '@penstock/engine-duckdb'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Lake, openLake } from '../src/lake.ts'

/* A store that takes a request and never answers, and somebody at the terminal who has had enough. */

const cli = fileURLToPath(new URL('../../../apps/cli/bin/dev.ts', import.meta.url))

let lake: Lake
let folder: string
beforeAll(async () => {
  lake = await openLake('exports')
  folder = await mkdtemp(join(tmpdir(), 'penstock-e2e-hang-'))
  const { endpoint, root } = lake.aws
  const common = {
    region: 'us-east-1',
    bucket: lake.bucket,
    endpoint,
    forcePathStyle: true,
    auth: {
      method: 'access-key',
      accessKeyId: root.accessKeyId,
      // biome-ignore lint/suspicious/noTemplateCurlyInString: the project file's own notation
      secretAccessKey: '${env:LAKE_SECRET}',
    },
  }
  const connections = {
    out: { connector: 'destination-s3', ...common },
    in: { connector: 'source-s3', ...common },
  }
  await writeFile(join(folder, 'penstock.yaml'), JSON.stringify({ connections }))
  for (let object = 0; object < 3; object++) await lake.put(`in/${object}`, 'id\n1\n')
})
afterAll(async () => {
  await lake.close()
  await rm(folder, { recursive: true, force: true })
})

/** Runs a command whose requests of one kind hang, presses Ctrl-C as soon as one does, and returns what it said. */
const interrupt = async (
  operation: 'UploadPart' | 'CompleteMultipartUpload' | 'ListObjectsV2' | 'GetObject',
  args: readonly string[],
) => {
  lake.aws.log.clear()
  const clear = lake.aws.faults.add({ when: { operation }, fault: { kind: 'hang' } })
  const child = spawn(process.execPath, ['--conditions=penstock:source', cli, ...args], {
    cwd: folder,
    env: { ...process.env, LAKE_SECRET: lake.aws.root.secretAccessKey },
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (data) => {
      output += data
    })
  const exited = once(child, 'exit')
  const isHanging = () => lake.aws.log.entries().some((entry) => entry.operation === operation)
  while (!isHanging() && child.exitCode === null) await sleep(20)
  child.kill('SIGINT')
  expect(await exited, output).toEqual([130, null])
  expect(output).toContain('Stopped by Ctrl-C')
  clear()
}

test.each(['UploadPart', 'CompleteMultipartUpload'] as const)(
  'Ctrl-C ends an export whose %s hangs, and leaves nothing',
  async (operation) => {
    const sql = "SELECT range AS i, repeat('x', 1000) AS t FROM range(20000)"
    await interrupt(operation, ['export', 'out', '--sql', sql, '--key-template', '{run_id}.csv'])
    expect(lake.aws.s3.listUploads(lake.bucket)).toEqual([])
    expect(lake.aws.s3.listKeys(lake.bucket).filter((key) => key.endsWith('.csv'))).toEqual([])
  },
  60_000,
)

test.each(['ListObjectsV2', 'GetObject'] as const)(
  'Ctrl-C ends an extraction whose %s hangs, and leaves no table and no staged file',
  async (operation) => {
    const args = ['extract', 'in', '--folder', 'in/', '--format', 'csv', '--table', 't', '--mode', 'delta']
    const database = join(folder, `${operation}.duckdb`)
    await interrupt(operation, [...args, '--into', database])
    const left = await readdir(folder)
    expect(left.filter((name) => name.includes(operation))).toEqual([`${operation}.duckdb`])
    const engine = await duckdb(database)
    try {
      expect(await engine.describe('t')).toBeUndefined()
    } finally {
      await engine.close()
    }
  },
  60_000,
)
