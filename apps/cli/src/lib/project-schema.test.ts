import { readFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { projectSchema, schemaFile } from './project-schema.ts'

describe('the JSON Schema of penstock.yaml', () => {
  it('is what the connectors say now (else: pnpm --filter penstock schema)', async () => {
    expect(JSON.parse(await readFile(schemaFile, 'utf8'))).toEqual(await projectSchema())
  })
})
