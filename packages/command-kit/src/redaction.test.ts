import { createSecret } from '@penstock/core'
import { expect, it } from 'vitest'
import { exactJson, toJson } from './output.ts'
import { createRedactor } from './redaction.ts'

it('hides secrets in every form, at any depth, in names too', () => {
  const redactor = createRedactor()
  const secret = 'a/b+c "quoted" s3cret'
  redactor.add([secret, 'abc', ''])
  const forms = [
    secret,
    encodeURIComponent(secret),
    JSON.stringify(secret),
    Buffer.from(secret).toString('base64'),
  ]
  for (const form of forms) {
    expect(redactor.text(`x ${form} y`)).toContain('[secret]')
    expect(redactor.text(form)).not.toContain('s3cret')
  }
  const value = { [secret]: [{ deep: `-${secret}-` }], wrapped: createSecret(secret), at: new Date(0), n: 1n }
  expect(redactor.value(value)).toEqual({
    '[secret]': [{ deep: '-[secret]-' }],
    wrapped: '[secret]',
    at: '1970-01-01T00:00:00.000Z',
    n: 1n,
  })
  expect(redactor.text('abc')).toBe('abc')
})

it('leaves numbers with all their digits', () => {
  const redactor = createRedactor()
  redactor.add(['s3cret'])
  const text = '{"a":[12345678901234567890,0.10],"b":"[secret]"}'
  expect(toJson(redactor.value(exactJson(text.replace('[secret]', 's3cret'))), 0)).toBe(text)
})
