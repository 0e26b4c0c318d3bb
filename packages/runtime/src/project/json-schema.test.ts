// biome-ignore-all lint/suspicious/noTemplateCurlyInString: that is how references are written
import { Ajv } from 'ajv'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { testConnector } from '../../test/project-connector.ts'
import { testActions, testDestination } from '../../test/step-connectors.ts'
import { projectJsonSchema } from './json-schema.ts'

const schema = projectJsonSchema([testConnector], 'https://example.com/schema.json')
const validate = new Ajv({ allErrors: true, strict: false, validateFormats: false }).compile(schema)

const text = `connections:
  lake:
    connector: source-test
    description: Test
    region: north-1
    bucket: \${env:BUCKET}
    retries: \${env:RETRIES}
    auth: { method: access-key, accessKeyId: AKIA1, secretAccessKey: '\${file:key}' }
  other:
    connector: ./mine.ts
    whatever: 1
pipelines:
  daily:
    connection: lake
    into: w.duckdb
    options: { mode: delta, staging: 4GiB }
    tables:
      - { folder: a/, mode: merge, key: [id] }
`

describe('projectJsonSchema', () => {
  it('accepts a project, with references in place of values', () => {
    validate(parse(text))
    expect(validate.errors).toBeNull()
    expect(validate(parse('connections:\npipelines:\n'))).toBe(true)
  })

  it.each([
    ['region: north-1', 'regoin: north-1'],
    ['region: north-1', 'region: north'],
    ['connector: source-test', 'conector: source-test'],
    ["'${file:key}'", 'plain-text-secret'],
    ['method: access-key', 'method: acces-key'],
    ['accessKeyId: AKIA1, ', ''],
    ['retries: ${env:RETRIES}', 'retries: -1'],
    ['mode: merge', 'mode: merg'],
    ['staging: 4GiB', 'stagin: 4GiB'],
    ['into: w.duckdb', 'in: w.duckdb'],
    ['pipelines:', 'pipeline:'],
  ])('refuses %j -> %j', (from, to) => {
    expect(validate(parse(text.replace(from, () => to)))).toBe(false)
  })

  const steps = `connections:
pipelines:
  daily:
    into: w.duckdb
    schedule: { every: month, on: 31, at: '05:00', missed: all, end: 2027-01-01 }
    steps:
      - { id: load, extract: { connection: lake, tables: [{ folder: a/, mode: delta }] } }
      - { id: sums, sql: [SELECT 1, SELECT 2], retries: 3, if: always }
      - { id: out, export: { connection: out, folder: x, streams: [{ table: sums }] }, timeout: 5m }
      - { id: say, action: { connection: act, name: echo, input: { text: '\${steps.out.rows}' } }, if: { failure: [out] } }
alerts:
  - { on: [failure], webhook: { url: '\${env:URL}', secret: '\${env:SECRET}' }, delay: 2h, rows: 5% }
  - { command: [./hook.sh] }
`
  const all = new Ajv({ allErrors: true, strict: false, validateFormats: false }).compile(
    projectJsonSchema(
      [testConnector, testDestination(new Map(), { list: [] }), testActions({ list: [] })],
      'https://example.com/steps.json',
    ),
  )

  it('accepts steps, schedules and alerts', () => {
    all(parse(steps))
    expect(all.errors).toBeNull()
  })

  it.each([
    ['every: month', 'every: year'],
    ["at: '05:00'", 'att: x'],
    ['missed: all', 'missed: some'],
    ['id: load, ', ''],
    ['sql: [SELECT 1', 'sqll: [SELECT 1'],
    ['if: always', 'if: sometimes'],
    ['failure: [out]', 'failed: [out]'],
    ['mode: delta', 'mode: detla'],
    ['timeout: 5m', 'timeout: 5'],
    ['{ text:', '{ txet:'],
    ['streams: [{ table', 'streams: [{ tabel'],
    ['on: [failure]', 'on: [failed]'],
    ["'${env:SECRET}'", 'plain'],
    ['rows: 5%', 'rows: 5'],
    ['command: [./hook.sh]', 'command: ./hook.sh'],
  ])('refuses %j -> %j in steps', (from, to) => {
    expect(all(parse(steps.replace(from, () => to)))).toBe(false)
  })

  it('describes fields for completion', () => {
    expect(JSON.stringify(schema)).toContain('"description":"Secret access key"')
  })
})
