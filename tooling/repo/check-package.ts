import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { publint } from 'publint'
import { formatMessage } from 'publint/utils'
import { checkApiReports } from './api-report.ts'
import { checkContents, checkManifest, type Manifest } from './package-rules.ts'

// Checks the package in the current folder as users get it: packs it, then looks at the tarball's files, at its
// manifest, at how Node, bundlers and TypeScript resolve it, and at whether its public API is the committed one. Exit
// code 1 on findings. Needs a build.
const folder = mkdtempSync(join(tmpdir(), 'penstock-pack-'))
try {
  execFileSync('pnpm', ['pack', '--pack-destination', folder], { stdio: ['ignore', 'ignore', 'inherit'] })
  const [name = ''] = readdirSync(folder)
  const tarball = join(folder, name)
  const files = execFileSync('tar', ['-tzf', tarball], { encoding: 'utf8' })
    .trim()
    .split('\n')
    .map((path) => path.replace(/^package\//, ''))
  const manifest: Manifest = JSON.parse(
    execFileSync('tar', ['-xzOf', tarball, 'package/package.json'], { encoding: 'utf8' }),
  )
  const findings = [...checkContents(files), ...checkManifest(manifest)]

  const { messages, pkg } = await publint({
    pack: { tarball: new Uint8Array(readFileSync(tarball)).buffer },
    strict: true,
  })
  findings.push(...messages.map((message) => formatMessage(message, pkg, { color: false }) ?? message.code))

  // A command line has no types to resolve.
  if (manifest.exports?.['.'])
    execFileSync('attw', [tarball, '--profile', 'esm-only', '--no-emoji', '--format', 'ascii'], {
      stdio: ['ignore', 'ignore', 'inherit'],
    })

  findings.push(...checkApiReports(process.cwd()))

  for (const finding of findings) console.error(`${name}: ${finding}`)
  if (findings.length > 0) process.exitCode = 1
  else console.log(`${name}: ${files.length} files, nothing to complain about.`)
} finally {
  rmSync(folder, { recursive: true, force: true })
}
