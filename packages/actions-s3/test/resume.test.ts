import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { appendFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { beforeEach, describe, expect, test } from 'vitest'
import { downloadFile, uploadFile } from '../src/index.ts'
import type { ChildTask } from './child.ts'
import { bucket, bytesOf, failure, type Lake, MiB, openLake } from './lake.ts'

const child = fileURLToPath(new URL('./child.ts', import.meta.url))
/** Four parts, four ranges. */
const large = bytesOf(25 * MiB)

let lake: Lake
let source: string
let target: string
beforeEach(async () => {
  lake = await openLake()
  source = join(lake.folder, 'source')
  target = join(lake.folder, 'target')
})

/** Runs a child until it has moved so many bytes, then kills it with the signal that nothing can catch. */
const runAndKill = async (task: Omit<ChildTask, 'endpoint' | 'keys'>, afterBytes: number): Promise<void> => {
  const full: ChildTask = { endpoint: lake.aws.endpoint, keys: lake.aws.root, ...task }
  const running = spawn(process.execPath, ['--conditions=penstock:source', child, JSON.stringify(full)], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, NODE_OPTIONS: '' },
  })
  const exited = once(running, 'exit')
  let killed = false
  running.stdout.on('data', (text: Buffer) => {
    const bytes = Number(text.toString().trim().split('\n').at(-1))
    if (bytes >= afterBytes && !killed) killed = running.kill('SIGKILL')
  })
  const [, signal] = await exited
  expect(signal).toBe('SIGKILL')
}

describe('after kill -9', () => {
  test('an upload goes on where it was, and leaves no parts', async () => {
    writeFileSync(source, large)
    // Slow enough to be killed between parts.
    const remove = lake.aws.faults.add({
      when: { operation: 'UploadPart' },
      skip: 2,
      fault: { kind: 'latency', ms: 300 },
    })
    await runAndKill({ upload: { source, to: 'large' } }, 16 * MiB)
    remove()
    const [open] = lake.aws.s3.listUploads(bucket)
    expect(open).toMatchObject({ key: 'large' })
    expect(lake.keys()).toEqual([])
    lake.operations()
    await lake.use((context) => uploadFile(context, { source, to: 'large' }))
    const sent = lake.operations()
    expect(sent).not.toContain('CreateMultipartUpload')
    expect(sent.filter((name) => name === 'UploadPart').length).toBeLessThan(4)
    expect((await lake.stored('large')).equals(large)).toBe(true)
    expect(lake.aws.s3.listUploads(bucket)).toEqual([])
    expect(readdirSync(join(lake.folder, '.state', 'uploads'))).toEqual([])
  })

  test('a download goes on where it was, and leaves nothing but the file', async () => {
    await lake.put('large', large)
    const remove = lake.aws.faults.add({
      when: { operation: 'GetObject', minRangeStart: 9 * MiB },
      fault: { kind: 'latency', ms: 300 },
    })
    await runAndKill({ download: { path: 'large', to: target } }, 16 * MiB)
    remove()
    expect(readdirSync(lake.folder)).not.toContain('target')
    lake.operations()
    await lake.use((context) => downloadFile(context, { path: 'large', to: target }))
    expect(lake.operations().filter((name) => name === 'GetObject').length).toBeLessThan(4)
    expect(readFileSync(target).equals(large)).toBe(true)
    expect(readdirSync(lake.folder).filter((name) => name.startsWith('.') && name !== '.state')).toEqual([])
  })
})

describe('faults in mid-transfer', () => {
  test('resets, slowness and lost answers heal: the bytes are the same', async () => {
    writeFileSync(source, large)
    const { faults } = lake.aws
    faults.add({ when: { operation: 'UploadPart' }, times: 3, fault: { kind: 'reset' } })
    faults.add({ when: { operation: 'UploadPart' }, skip: 3, times: 2, fault: { kind: 'slow-down' } })
    faults.add({
      when: { operation: 'CompleteMultipartUpload' },
      times: 1,
      fault: { kind: 'reset', handled: true },
    })
    faults.add({
      when: { operation: 'GetObject' },
      times: 3,
      fault: { kind: 'truncate-body', afterBytes: 100_000 },
    })
    await lake.use(async (context) => {
      await uploadFile(context, { source, to: 'large' })
      await downloadFile(context, { path: 'large', to: target })
    })
    expect(readFileSync(target).equals(large)).toBe(true)
    expect(lake.aws.s3.listUploads(bucket)).toEqual([])
    expect(lake.told.notices.length).toBeGreaterThan(3)
  })

  test('an upload that gives up can go on; of another file its parts are removed', async () => {
    writeFileSync(source, large)
    lake.aws.faults.add({ when: { operation: 'UploadPart' }, skip: 2, fault: { kind: 'internal-error' } })
    await failure(
      lake.use((context) => uploadFile(context, { source, to: 'large' }), {
        fields: { maxAttempts: 1 },
        concurrency: 1,
      }),
    )
    const [former] = lake.aws.s3.listUploads(bucket)
    expect(former?.parts).toBeGreaterThan(0)
    lake.aws.faults.clear()
    appendFileSync(source, 'changed')
    await lake.use((context) => uploadFile(context, { source, to: 'large' }))
    expect((await lake.stored('large')).length).toBe(large.length + 7)
    expect(lake.aws.s3.listUploads(bucket)).toEqual([])
  })

  test('a source that changes meanwhile is an error, and nothing is left', async () => {
    writeFileSync(source, large)
    lake.aws.faults.add({ when: { operation: 'UploadPart' }, times: 1, fault: { kind: 'slow-down' } })
    const error = await failure(
      lake.use((context) =>
        uploadFile({ ...context, notice: () => appendFileSync(source, 'x') }, { source, to: 'large' }),
      ),
    )
    expect(error).toMatchObject({ kind: 'conflict', code: 'SourceChanged' })
    expect(lake.keys()).toEqual([])
    expect(lake.aws.s3.listUploads(bucket)).toEqual([])
  })

  test('a cancelled download leaves what it has, not the file', async () => {
    await lake.put('large', large)
    const stop = new AbortController()
    lake.aws.faults.add({ when: { operation: 'GetObject', minRangeStart: 9 * MiB }, fault: { kind: 'hang' } })
    const running = failure(
      lake.use((context) => downloadFile(context, { path: 'large', to: target }), { signal: stop.signal }),
    )
    setTimeout(() => stop.abort(), 300)
    expect((await running).kind).toBe('cancelled')
    expect(readdirSync(lake.folder)).not.toContain('target')
  })
})
