import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import module from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** The main job, shown and checked: penstock's commands against the embedded AWS. `--keep` keeps the folder. */
const begin = performance.now()
module.enableCompileCache()
const abort = new AbortController()
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(name, () => abort.abort())

const [
  { duckdb },
  { createAccount },
  { createDemoData },
  terminalModule,
  { commandEnvironment, startCommandLine },
  story,
  { askInPlace },
  { handOver },
  { tellSummary },
] = await Promise.all([
  import('@penstock/engine-duckdb'),
  import('./account.ts'),
  import('./data.ts'),
  import('./terminal.ts'),
  import('./run-command.ts'),
  import('./story.ts'),
  import('./in-place.ts'),
  import('./hand-over.ts'),
  import('./summary.ts'),
])
const { createTerminal, DemoFailure } = terminalModule
const keep = process.argv.includes('--keep')
const root = await mkdtemp(join(tmpdir(), 'penstock-demo-'))
const folder = join(root, 'project')
const account = await createAccount()
await mkdir(folder)
const commandLine = await startCommandLine({
  root,
  folder,
  signal: abort.signal,
  environment: commandEnvironment(root, {
    LAKE_KEY_ID: account.loader.accessKeyId,
    LAKE_SECRET: account.loader.secretAccessKey,
  }),
})
const terminal = createTerminal(commandLine)
try {
  const engine = await duckdb(':memory:')
  const data = await createDemoData(engine, root).finally(() => engine.close())
  await account.upload(data.first)
  const stage = { terminal, account, data, folder }
  await story.connectAndCheck(stage)
  await story.loadAndFollow(stage)
  await story.rejectAndAsk(stage)
  await askInPlace(stage)
  await handOver(stage)
  await tellSummary(stage, performance.now() - begin)
  if (keep) terminal.say('The project is kept. Its S3 is gone, its tables are there:')
  if (keep) terminal.path(folder)
} catch (error) {
  if (abort.signal.aborted) process.exitCode = 130
  else {
    process.exitCode = 1
    const told = error instanceof DemoFailure ? error.message : error
    console.error('\nThe demo failed.', told)
  }
} finally {
  await commandLine.close()
  await account.close()
  if (!keep) await rm(root, { recursive: true, force: true })
}
