import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
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
  await writeFile(
    join(folder, 'penstock.yaml'),
    JSON.stringify({
      connections: {
        out: {
          connector: 'destination-s3',
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
        },
      },
    }),
  )
})
afterAll(async () => {
  await lake.close()
  await rm(folder, { recursive: true, force: true })
})

test.each(['UploadPart', 'CompleteMultipartUpload'] as const)(
  'Ctrl-C ends an export whose %s hangs, and leaves nothing',
  async (operation) => {
    const clear = lake.aws.faults.add({ when: { operation }, fault: { kind: 'hang' } })
    const sql = "SELECT range AS i, repeat('x', 1000) AS t FROM range(20000)"
    const child = spawn(
      process.execPath,
      ['--conditions=penstock:source', cli, 'export', 'out', '--sql', sql, '--key-template', '{run_id}.csv'],
      { cwd: folder, env: { ...process.env, LAKE_SECRET: lake.aws.root.secretAccessKey } },
    )
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
    expect(lake.aws.s3.listUploads(lake.bucket)).toEqual([])
    expect(lake.aws.s3.listKeys(lake.bucket).filter((key) => key.endsWith('.csv'))).toEqual([])
  },
  60_000,
)
