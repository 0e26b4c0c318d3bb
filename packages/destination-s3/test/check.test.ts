import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type Bench, bucket, openBench } from './bench.ts'

let bench: Bench & AsyncDisposable
beforeAll(async () => {
  bench = await openBench()
})
afterAll(() => bench[Symbol.asyncDispose]())
afterEach(() => {
  bench.aws.faults.clear()
  expect(bench.aws.s3.listKeys(bucket)).toEqual([])
  expect(bench.aws.s3.listUploads(bucket)).toEqual([])
})

describe('check', () => {
  it('does the real calls in order, and leaves nothing', async () => {
    const steps = await bench.check({ prefix: 'out' })
    expect(steps.map(({ id, status }) => `${id} ${status}`)).toEqual([
      'credentials passed',
      'bucket passed',
      'list passed',
      'write passed',
      'conditions passed',
      'read passed',
      'delete passed',
      'upload passed',
      'list-parts passed',
      'list-uploads passed',
      'abort passed',
      'key-template passed',
    ])
    expect(steps.at(-1)?.detail).toMatch(/^such as out\/S3_stream_\d{8}_\d{6}\.csv$/)
  })

  it.each([
    ['a missing bucket', { bucket: 'elsewhere' }, 'bucket', 'not-found', /elsewhere/],
    ['the wrong region', { region: 'eu-west-1' }, 'bucket', 'config', /us-east-1/],
    ['an unknown macro', { fileName: 'x_{stream}' }, 'key-template', 'config', /character 3: \{stream\}/],
    [
      'a macro without a value',
      { folder: '{year}/%ORGANIZATION_NAME%' },
      'key-template',
      'config',
      /character 8: %ORGANIZATION_NAME% has no value/,
    ],
    [
      'two templates',
      { fileName: 'x', keyTemplate: 'y' },
      'key-template',
      'config',
      /keyTemplate is given together/,
    ],
    ['a key that is none', { publicKey: 'nonsense!' }, 'public-key', 'config', /can't be read/],
  ] as const)('names the cause: %s', async (_, fields, step, kind, words) => {
    const steps = await bench.check(fields)
    const failed = steps.filter(({ status }) => status === 'failed')
    expect(failed.map(({ id }) => id)).toEqual([step])
    expect(failed[0]?.error?.kind).toBe(kind)
    expect(failed[0]?.error?.message).toMatch(words)
  })

  it('skips what needs a step that failed, and tries the rest', async () => {
    bench.aws.faults.add({
      when: { operation: 'PutObject' },
      fault: { kind: 'error', status: 403, code: 'AccessDenied', message: 'x' },
    })
    const steps = await bench.check()
    const status = Object.fromEntries(steps.map((step) => [step.id, step.status]))
    expect(status).toMatchObject({ list: 'passed', write: 'failed', read: 'skipped', abort: 'skipped' })
    expect(status['key-template']).toBe('passed')
  })

  it('of a wrong secret still looks at the settings', async () => {
    const auth = { method: 'access-key', ...bench.aws.root, secretAccessKey: 'wrong' } as const
    const steps = await bench.check({ auth })
    expect(steps.map(({ status }) => status)).toEqual([
      'failed',
      ...Array.from({ length: 9 }, () => 'skipped'),
      'passed',
    ])
  })
})
