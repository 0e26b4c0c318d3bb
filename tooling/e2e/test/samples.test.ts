import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { endpointFields, openSampleWorld, type SampleWorld } from '../src/sample-world.ts'
import { samplesOf, wordsOf } from '../src/samples.ts'

const root = fileURLToPath(new URL('../../..', import.meta.url))
const pages = [
  'README.md',
  ...readdirSync(join(root, 'docs')).flatMap((name) => (name.endsWith('.md') ? [`docs/${name}`] : [])),
]

/** Pages that build a project up from nothing. */
const fromNothing = new Set(['README.md', 'docs/tutorial.md'])

const signedIn = 'region: eu-central-1, auth: { method: default-chain }'
const project = `connections:
  lake: { connector: source-s3, bucket: sales, ${signedIn} }
  partner: { connector: destination-s3, bucket: partner-bucket, ${signedIn} }
  out: { connector: destination-s3, bucket: partner-bucket, ${signedIn} }
  tools: { connector: actions-s3, bucket: sales, ${signedIn} }
  s3: { connector: actions-s3, bucket: partner-bucket, ${signedIn} }
  warehouse: { connector: zero-copy-glue, ${signedIn} }
pipelines:
  report: { into: w.duckdb, steps: [{ id: report, sql: CREATE OR REPLACE TABLE report AS FROM orders }] }
  import: { connection: lake, into: imported.duckdb, steps: [{ id: load, extract: { tables: [{ folder: orders/ }] } }] }
`

let world: SampleWorld
beforeAll(async () => {
  world = await openSampleWorld()
})
afterAll(() => world.close())

/** Why a sample is not run as it stands. */
const reasonToSkip = (words: readonly string[] | undefined): string | undefined => {
  if (words === undefined) return 'other programs are part of it'
  if (words[0] === words[0]?.toUpperCase()) return 'it shows the form of a command'
  if (words[0] === 'dev' || words[0] === 'ui') return 'it keeps running'
  if (words[0] === 'connectors' && words.length > 1) return 'it needs a package registry'
  if (words.includes('wh')) return 'it needs a PostgreSQL: tooling/interop has one'
  if (words[0] === 'connect' && !words.includes('--set')) return 'it asks on a terminal'
  return undefined
}

/** What a sample needs to reach the account of the samples, and to come to an end. */
const adapted = (words: readonly string[]): readonly string[] => {
  if (words[0] === 'serve') return [...words, '--once']
  if (words[0] !== 'connect' || words.some((word) => word.startsWith('endpoint='))) return words
  const connector = words[words.indexOf('--connector') + 1]
  const fields = endpointFields({ connector }, world.variables.AWS_ENDPOINT_URL ?? '')
  return [...words, ...Object.entries(fields).flatMap(([field, value]) => ['--set', `${field}=${value}`])]
}

describe('commands of the documentation work as they stand', () => {
  it.each(pages)(
    '%s',
    async (path) => {
      await world.reset()
      if (!fromNothing.has(path)) await world.addToProject(project)
      const failures: string[] = []
      const samples = samplesOf(readFileSync(join(root, path), 'utf8'))
      for (const { kind, line, text } of samples) {
        if (kind === 'yaml') await world.addToProject(text)
        const words = kind === 'yaml' ? ['connections'] : wordsOf(text, world.variables)
        if (words === undefined || reasonToSkip(words)) continue
        const { code, text: output } = await world.commandLine.run(adapted(words))
        if (code !== 0) failures.push(`${path}:${line}: ${text}\n  exit code ${code}: ${output.trim()}`)
      }
      expect(failures.join('\n\n')).toBe('')
    },
    120_000,
  )
})
