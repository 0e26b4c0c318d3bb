// biome-ignore-all lint/suspicious/noTemplateCurlyInString: that is how references are written
import { join } from 'node:path'
import { type Command, Config, ux } from '@oclif/core'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { startLake, type TestLake } from '../../test/lake.ts'
import { runCommand } from '../../test/run-command.ts'
import { exportFlags } from '../lib/export-command.ts'
import ConnectionHelp from '../lib/help.ts'
import { Connect } from './connect.ts'
import { Export } from './export.ts'
import { Extract } from './extract.ts'
import { Keys } from './keys.ts'
import { Runs } from './runs.ts'
import { Sweep } from './sweep.ts'

let lake: TestLake
beforeAll(async () => {
  lake = await startLake()
  const text = await lake.project.text()
  const [, fields = ''] = text.split('connector: source-s3\n')
  await lake.project.write(`${text}  out:\n    connector: destination-s3\n    prefix: out/\n${fields}`)
  for (const [name, value] of Object.entries(lake.env)) vi.stubEnv(name, value)
  await runCommand(Extract, 'lake', '--folder', 'orders/', '--into', database(), ...at())
})
afterAll(async () => {
  vi.unstubAllEnvs()
  await lake.close()
})

const at = () => ['--project', lake.project.folder]
const database = () => join(lake.project.folder, 'w.duckdb')
const from = () => ['--from', database(), ...at()]
const template = ['--key-template', 'k/{stream_name}_{part}.{extension}']

it('shows keys, rows and bytes before anything is written', async () => {
  const argv = ['out', '--table', 'orders', '--max-rows', '2000', ...template, ...from()]
  const plan = await runCommand(Export, ...argv, '--plan')
  expect(plan.stdout).toContain('out/k/orders_1.csv')
  expect(plan.stdout).toMatch(/orders +3,000/)
  expect((await runCommand(Keys, ...argv)).stdout).toContain('out/k/orders_2.csv')
  expect(lake.aws.s3.listKeys('sample', 'out/')).toEqual([])
})

it('warns of a static name, within a terminal', async () => {
  const argv = ['out', '--table', 'orders', '--mode', 'overwrite', '--key-template', 'k/{stream_name}']
  const { stdout } = await runCommand(Export, ...argv, ...from(), '--plan')
  expect(stdout.replaceAll(/\s+/g, ' ')).toContain(
    '! The key template has neither a time nor an id of the run',
  )
  for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(80)
})

it('writes tables and queries, tells where, and keeps the run', async () => {
  const sql = 'select count(*) as n from orders'
  const argv = ['out', '--table', 'orders', '--sql', sql, '--stream', 'all', '--stream', 'counted']
  const run = await runCommand(Export, ...argv, '--compression', 'gzip', ...template, ...from())
  expect(run).toMatchObject({ code: 0 })
  expect(run.stdout).toContain('s3://sample/out/k/all_1.csv.gz')
  expect(run.stdout).toMatch(/all +append +succeeded +1/)
  for (const line of run.stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(80)
  expect(run.result).toMatchObject({ export: { streams: [{ rows: 3000 }, { rows: 1 }] } })
  const { stdout } = await runCommand(Runs, ...at())
  expect(stdout).toMatch(/succeeded +all, counted +2 +3,001/)
})

it('exports what is new, from a database that is only read, too', async () => {
  const argv = ['out', '--table', 'orders', '--name', 'new', '--incremental', 'order_id', ...from(), '--json']
  const rows = async (...flags: string[]) =>
    JSON.parse((await runCommand(Export, ...argv, ...flags)).stdout).export.streams[0].rows
  expect(await rows()).toBe(3000)
  expect(await rows('--read-only')).toBe(0)
  expect(await rows()).toBe(0)
})

it.each([
  [['out', '--table', 'order'], 5, 'Did you mean orders?'],
  [['out'], 2, 'Give --table or --sql'],
  [['nope', '--table', 'orders', '--manifest'], 5, 'has no connection "nope"'],
  [['lake', '--table', 'orders'], 2, 'not a destination'],
  [['out', '--table', 'orders', '--key-template', 'x/{nope}'], 2, 'is no macro'],
  [['out', '--table', 'orders', '--file-type', 'xml'], 2, '--file-type'],
  [['out', '--sql', 'drop table orders'], 2, 'SELECT can be exported'],
])('%j ends with %i', async (argv, code, words) => {
  const run = await runCommand(Export, ...argv, ...from())
  expect({ code: run.code, says: run.stderr.replaceAll(/\s+/g, ' ').includes(words) || run.stderr }).toEqual({
    code,
    says: true,
  })
})

it('takes full for overwrite, and refuses what is no mode', async () => {
  const argv = ['out', '--table', 'orders', '--name', 'whole', ...from(), '--mode']
  const run = await runCommand(Export, ...argv, 'full')
  expect(run).toMatchObject({ code: 0, result: { export: { mode: 'overwrite' } } })
  expect((await runCommand(Export, ...argv, 'ful')).code).toBe(2)
})

it('sweeps: nothing is left behind', async () => {
  expect((await runCommand(Sweep, 'out', ...at())).stdout).toContain('Nothing is left behind.')
})

it('sets tags and metadata of the files entry by entry', async () => {
  const set = (...pairs: string[]) =>
    runCommand(Connect, 'out', ...pairs.flatMap((pair) => ['--set', pair]), ...at())
  expect(await set('tags.team=sales', 'tags.old=x', 'metadata.origin=shop')).toMatchObject({ code: 0 })
  expect(await set('tags.old=')).toMatchObject({ code: 0 })
  expect((await set('tags=sales')).stderr).toContain('--set tags.NAME=VALUE')
  const text = await lake.project.text()
  expect(text).toContain('tags:\n      team: sales\n')
  expect(text).toContain('metadata:\n      origin: shop\n')
})

it('shows the flags of the destination that is meant', async () => {
  const help = async (...argv: string[]) => {
    const config = await Config.load(process.cwd())
    const lines: string[] = []
    vi.spyOn(ux, 'stdout').mockImplementation((text) => void lines.push(String(text)))
    const command = { ...Export, id: 'export', flags: exportFlags, args: {} } as unknown as Command.Loadable
    const shown = new ConnectionHelp(config)
    vi.spyOn(config, 'findCommand').mockReturnValue(command)
    await shown.showHelp(['export', ...argv, '--help'])
    vi.restoreAllMocks()
    return lines.join('\n')
  }
  expect(await help()).toMatch(/DESTINATION POSTGRES FLAGS[\s\S]*DESTINATION S3 FLAGS/)
  const ofBucket = await help('out', ...at())
  expect(ofBucket).toContain('--key-template')
  expect(ofBucket).not.toContain('POSTGRES')
})
