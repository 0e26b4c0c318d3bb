// biome-ignore-all lint/suspicious/noTemplateCurlyInString: that is how references are written
import { Ajv } from 'ajv'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { testConnector } from '../../test/project-connector.ts'
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

  it('describes fields for completion', () => {
    expect(JSON.stringify(schema)).toContain('"description":"Secret access key"')
  })
})
