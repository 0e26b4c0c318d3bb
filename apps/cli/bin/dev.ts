#!/usr/bin/env node
import { readFile } from 'node:fs/promises'
import module from 'node:module'
import { fileURLToPath } from 'node:url'

// The command line straight from its sources: node --conditions=penstock:source apps/cli/bin/dev.ts
module.enableCompileCache()
// pnpm runs scripts in the workspace's root; the user means the folder where it was called.
if (process.env.npm_lifecycle_event === 'penstock' && process.env.INIT_CWD)
  process.chdir(process.env.INIT_CWD)
const { runCommandLine, runFromSources } = await import('@penstock/command-kit/run')
const root = fileURLToPath(new URL('..', import.meta.url))
const pjson = JSON.parse(await readFile(new URL('../package.json', import.meta.url), 'utf8'))
const argv = process.argv.slice(2)
const { foreignCommands } = await import('../src/lib/foreign.ts')
const options = runFromSources(root, pjson, argv, ['connect', 'connectors'])
process.exit(await runCommandLine(argv, options, foreignCommands))
