import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { RunRecord } from '@penstock/core'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { pipelineHistory, runHistory } from './history.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'penstock-history-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const record = (runId: string, more: Partial<RunRecord> = {}): RunRecord => ({
  runId,
  command: 'extract',
  connector: 'source-test',
  status: 'succeeded',
  startedAt: `2026-01-0${runId.at(-1)}T00:00:00.000Z`,
  tables: [],
  ...more,
})

describe('the run history', () => {
  it('lists runs, newest first, and reads one by the beginning of its id', async () => {
    const history = runHistory(folder)
    expect(await history.list()).toEqual([])
    for (const id of ['run-a1', 'run-b3', 'run-c2']) await history.save(record(id))
    expect((await history.list()).map((run) => run.runId)).toEqual(['run-b3', 'run-c2', 'run-a1'])
    expect((await history.list({ limit: 1 })).map((run) => run.runId)).toEqual(['run-b3'])
    expect(await history.read('run-b')).toMatchObject({ runId: 'run-b3' })
    await expect(history.read('run-')).rejects.toMatchObject({ kind: 'config' })
    await expect(history.read('run-c3')).rejects.toMatchObject({ kind: 'not-found' })
  })

  it('of pipelines keeps the last 1,000 runs', async () => {
    const history = pipelineHistory(folder)
    const run = (id: string) =>
      ({ runId: id, pipeline: 'p', status: 'succeeded', startedAt: id, attempts: 1, steps: [] }) as const
    await history.save(run('run-0000'))
    const entry = await readFile(join(folder, '.penstock/pipelines/run-0000.json'))
    for (let index = 1; index < 1002; index++)
      writeFileSync(join(folder, `.penstock/pipelines/run-${String(index).padStart(4, '0')}.json`), entry)
    await history.save(run('run-1002'))
    const files = (await readdir(join(folder, '.penstock/pipelines'))).sort()
    expect(files).toHaveLength(1000)
    expect([files[0], files.at(-1)]).toEqual(['run-0003.json', 'run-1002.json'])
  })

  it('calls a run interrupted when its process died', async () => {
    const history = runHistory(folder)
    await history.save(record('run-1', { status: 'running' }))
    expect((await history.read('run-1')).status).toBe('running')
    const path = join(folder, '.penstock/runs/run-1.json')
    const entry = JSON.parse(await readFile(path, 'utf8'))
    const { pid } = spawnSync(process.execPath, ['-e', ''])
    await writeFile(path, JSON.stringify({ ...entry, pid }))
    expect((await history.read('run-1')).status).toBe('interrupted')
    await writeFile(path, JSON.stringify({ ...entry, born: '1' }))
    const reused = process.platform === 'linux' ? 'interrupted' : 'running'
    expect((await history.read('run-1')).status).toBe(reused)
  })

  it('survives foreign files, and never writes outside its folder', async () => {
    const history = runHistory(folder)
    await history.save(record('run-1'))
    await writeFile(join(folder, '.penstock/runs/notes.json'), 'not json')
    expect(await history.list()).toHaveLength(1)
    await expect(history.save(record('../../x1'))).rejects.toMatchObject({ kind: 'config' })
    expect(await readFile(join(folder, '.penstock/.gitignore'), 'utf8')).toBe('*\n')
  })
})
