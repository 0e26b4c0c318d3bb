#!/usr/bin/env node
import module from 'node:module'
import { fileURLToPath } from 'node:url'

module.enableCompileCache?.()
const { runCommandLine } = await import('@penstock/command-kit/run')
process.exit(
  await runCommandLine(process.argv.slice(2), { root: fileURLToPath(new URL('..', import.meta.url)) }),
)
