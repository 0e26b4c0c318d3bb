import { readFile } from 'node:fs/promises'
import module from 'node:module'
import { fileURLToPath } from 'node:url'
import { runCommandLine, runFromSources } from '@penstock/command-kit/run'

// A process that runs one command line after the other: `argv` in by message, exit code out. Starting Node from the
// sources for each command would take most of the demo's time.
module.enableCompileCache()
const root = fileURLToPath(new URL('../../../apps/cli/', import.meta.url))
const pjson = JSON.parse(await readFile(`${root}/package.json`, 'utf8'))
process.on('message', async (argv: string[]) => {
  const code = await runCommandLine(argv, runFromSources(root, pjson, argv))
  process.exitCode = 0
  process.send?.(code)
})
