#!/usr/bin/env node
import module from 'node:module'
import { fileURLToPath } from 'node:url'

module.enableCompileCache?.()
const [{ runCommandLine }, { foreignCommands }] = await Promise.all([
  import('@penstock/command-kit/run'),
  import('../dist/lib/foreign.js'),
])
const root = fileURLToPath(new URL('..', import.meta.url))
process.exit(await runCommandLine(process.argv.slice(2), { root }, foreignCommands))
