import { globSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'

// Writes the repository that a release is built in into the packages: npm compares it with the provenance.
const { GITHUB_SERVER_URL: server, GITHUB_REPOSITORY: repository } = process.env
if (!server || !repository)
  throw new Error('GITHUB_SERVER_URL and GITHUB_REPOSITORY are not set: a release runs in CI')
for (const path of globSync(['packages/*/package.json', 'apps/*/package.json'])) {
  const manifest = JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>
  manifest.repository = { type: 'git', url: `git+${server}/${repository}.git`, directory: dirname(path) }
  writeFileSync(path, `${JSON.stringify(manifest, null, 2)}\n`)
}
