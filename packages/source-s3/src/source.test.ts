import { inspect } from 'node:util'
import type { TableRequest } from '@penstock/runtime'
import { describe, expect, expectTypeOf, it } from 'vitest'
import defaultExport, { type Selection, s3, sourceS3 } from './index.ts'

const bucket = { region: 'eu-central-1', bucket: 'sales' }
const keys = { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'top-secret-text' }

describe('a connection', () => {
  it('is made from plain input, and shows no secret', () => {
    const connection = s3({ ...bucket, auth: { method: 'access-key', ...keys } }, { name: 'lake' })
    expect(connection).toMatchObject({ name: 'lake', authMethod: 'access-key', config: bucket })
    expect(connection.secrets()).toEqual(['top-secret-text'])
    expect(inspect(connection, { depth: 9 }) + JSON.stringify(connection)).not.toContain('top-secret-text')
  })

  it('is refused with every wrong field named, and no value repeated', () => {
    const wrong = {
      region: 'eu-central-1',
      bucket: 'Sales Exports',
      auth: { method: 'access-key' as const, ...keys },
    }
    expect(() => s3(wrong)).toThrow(
      expect.objectContaining({ kind: 'config', message: expect.stringContaining('bucket') }),
    )
    expect(() => s3({ ...bucket, auth: { method: 'access-key', ...keys, accessKeyId: '' } })).toThrow(
      'accessKeyId',
    )
  })

  it('does not compile when it is wrong', () => {
    // @ts-expect-error auth is missing
    expect(() => s3(bucket)).toThrow('auth')
    // @ts-expect-error there is no such method
    expect(() => s3({ ...bucket, auth: { method: 'password' } })).toThrow('password')
    // @ts-expect-error a method's fields are its own
    expect(() => s3({ ...bucket, auth: { method: 'anonymous', accessKeyId: 'x' } })).toThrow('accessKeyId')
    // @ts-expect-error there is no such field
    expect(() => s3({ ...bucket, buckte: 'x', auth: { method: 'anonymous' } })).toThrow('buckte')
  })
})

it('takes tables by its own selection, with the load options of all sources', () => {
  expectTypeOf<{ folder: string; mode: 'delta'; exclude: string }>().toExtend<TableRequest<typeof sourceS3>>()
  expectTypeOf<{ folder: number }>().not.toExtend<TableRequest<typeof sourceS3>>()
  expectTypeOf<Selection['recursive']>().toEqualTypeOf<boolean>()
  expect(defaultExport).toBe(sourceS3)
})
