// biome-ignore-all lint/suspicious/noTemplateCurlyInString: that is how references are written
import { existsSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { bucket, draftOf, lines, startTestUi, type TestUi } from './server.ts'

let test: TestUi
beforeAll(async () => {
  test = await startTestUi()
})
afterAll(() => test.close())
const draft = () => draftOf(test)

describe('a draft', () => {
  const drafted = (body: unknown) => test.call('POST', '/api/drafts/tried/check', body)

  it('is tested before it is saved, and leaves nothing', async () => {
    const before = await test.yaml()
    expect(lines((await drafted({ ...draft(), create: true })).text).at(-1)).toEqual({ done: 'passed' })
    const wrong = { ...draft(), fields: { ...draft().fields, bucket: 'no-such' } }
    const steps = lines((await drafted(wrong)).text)
    expect(steps.at(-1)).toEqual({ done: 'failed' })
    expect(steps.find(({ step }) => step?.status === 'failed').step.error).toMatchObject({
      kind: 'not-found',
    })
    expect(await test.yaml()).toBe(before)
    const secrets = join(test.folder, '.penstock/secrets')
    expect(existsSync(secrets) ? await readdir(secrets) : []).toEqual([])
  })

  it('says what can not be resolved, and what is wrong in the form', async () => {
    const auth = { ...draft().auth, secretAccessKey: '${env:PENSTOCK_NOT_SET}' }
    const [line] = lines((await drafted({ ...draft(), auth })).text)
    expect(line.error).toMatchObject({
      code: 'MissingVariable',
      message: expect.stringMatching(/^The environment variable/),
    })
    const { status, json } = await drafted({ ...draft(), fields: { bucket } })
    expect({ status, json }).toMatchObject({ status: 422, json: { problems: [{ path: ['region'] }] } })
  })
})
