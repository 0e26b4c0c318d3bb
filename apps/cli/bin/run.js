#!/usr/bin/env node
import { readFileSync } from 'node:fs'
import module from 'node:module'
import { fileURLToPath } from 'node:url'

// Before anything is imported: an older Node fails at the first module that asks for what it has not.
const { engines } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
const [wanted, has] = [engines.node, process.versions.node].map((text) => text.match(/\d+/g).map(Number))
if (has[0] < wanted[0] || (has[0] === wanted[0] && has[1] < wanted[1])) {
  console.error(`Penstock needs Node ${engines.node}; this is ${process.versions.node}.`)
  process.exit(2)
}

module.enableCompileCache?.()
const [{ runCommandLine }, { foreignCommands }] = await Promise.all([
  import('@penstock/command-kit/run'),
  import('../dist/lib/foreign.js'),
])
const root = fileURLToPath(new URL('..', import.meta.url))
process.exit(await runCommandLine(process.argv.slice(2), { root }, foreignCommands))
