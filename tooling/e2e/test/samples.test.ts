import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { openProject } from '@penstock/runtime'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openSampleWorld, type SampleWorld } from '../src/sample-world.ts'
import { commandSamples, wordsOf } from '../src/samples.ts'

const root = fileURLToPath(new URL('../../..', import.meta.url))
const pages = [
  'README.md',
  ...readdirSync(join(root, 'docs')).flatMap((name) => (name.endsWith('.md') ? [`docs/${name}`] : [])),
]

/** Pages that build a project up from nothing. */
const fromNothing = new Set(['README.md', 'docs/tutorial.md'])

const signedIn = 'auth: { method: default-chain }'
const at = (region: string) => `region: ${region}, endpoint: ENDPOINT, stsEndpoint: ENDPOINT, ${signedIn}`
const project = `connections:
  lake: { connector: source-s3, bucket: sales, ${at('eu-central-1')} }
  partner: { connector: destination-s3, bucket: partner-bucket, ${at('eu-central-1')} }
  tools: { connector: actions-s3, bucket: sales, ${at('eu-central-1')} }
  warehouse: { connector: zero-copy-glue, catalog: glue-api, catalogEndpoint: ENDPOINT, ${at('eu-central-1')} }
pipelines:
  daily:
    connection: lake
    into: warehouse.duckdb
    steps:
      - { id: load, extract: { tables: [{ folder: orders/, table: loaded }] } }
      - { id: export, export: { connection: partner, streams: [{ table: loaded }] } }
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
  if (words[0] === 'dev') return 'the account of the samples is there already'
  if (words[0] === 'connect' && !words.includes('--set')) return 'it asks on a terminal'
  return undefined
}

/** What a sample needs to reach the account of the samples, and to come to an end. */
const adapted = (words: readonly string[]): readonly string[] => {
  if (words[0] === 'serve') return [...words, '--once']
  if (words[0] !== 'connect' || words.some((word) => word.startsWith('endpoint='))) return words
  const endpoint = world.variables.AWS_ENDPOINT_URL
  const fields = ['endpoint', 'stsEndpoint', ...(words.includes('zero-copy-glue') ? ['catalogEndpoint'] : [])]
  return [...words, ...fields.flatMap((field) => ['--set', `${field}=${endpoint}`])]
}

describe('commands of the documentation work as they stand', () => {
  it.each(pages)('%s', async (path) => {
    await world.reset(fromNothing.has(path) ? undefined : project)
    const failures: string[] = []
    for (const { line, text } of commandSamples(readFileSync(join(root, path), 'utf8'))) {
      const words = wordsOf(text, world.variables)
      if (words === undefined || reasonToSkip(words)) continue
      const { code, text: output } = await world.commandLine.run(adapted(words))
      if (code !== 0) failures.push(`${path}:${line}: ${text}\n  exit code ${code}: ${output.trim()}`)
    }
    expect(failures.join('\n\n')).toBe('')
  })
})
