import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { checkCommandIds } from './command-ids.ts'
import { checkFileLength } from './file-length.ts'
import { checkImports } from './imports.ts'

/** Checks what no linter knows: the house's import directions, unique command ids, file sizes. Exit code 1 on findings. */
const files = execFileSync('git', ['ls-files', '*.ts'], { encoding: 'utf8' })
  .split('\n')
  .filter((path) => existsSync(path))
const sources = files.map((path) => ({ path, text: readFileSync(path, 'utf8') }))
const findings = [...checkImports(sources), ...checkCommandIds(sources), ...checkFileLength(sources)]
for (const finding of findings) console.error(finding)
if (findings.length > 0) process.exitCode = 1
else console.log(`${sources.length} files follow the house rules.`)
