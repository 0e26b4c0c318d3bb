import type { Fault, FaultRule } from '@penstock/testkit'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type Bench, bucket, failure, openBench } from './bench.ts'

let bench: Bench & AsyncDisposable
beforeAll(async () => {
  bench = await openBench()
})
afterAll(() => bench[Symbol.asyncDispose]())
afterEach(() => {
  bench.aws.faults.clear()
  for (const key of bench.aws.s3.listKeys(bucket)) bench.aws.s3.deleteObject(bucket, key)
  expect(bench.aws.s3.listUploads(bucket)).toEqual([])
  expect(bench.unreleased.size).toBe(0)
})

const inParts = { file: -1, total: 0 }
const big = Buffer.alloc(9 << 20, 'x')
/** Where S3 does not answer; ten times as long for the completion of an upload. */
const answerTimeoutMs = 200
const race: Fault = { kind: 'error', status: 409, code: 'ConditionalRequestConflict', message: 'x' }

describe('is healed', () => {
  it.each<[string, FaultRule]>([
    ['503 SlowDown', { fault: { kind: 'slow-down' }, probability: 0.2 }],
    ['500', { fault: { kind: 'internal-error' }, probability: 0.2 }],
    ['500 after it was handled', { fault: { kind: 'internal-error', handled: true }, probability: 0.2 }],
    ['a reset', { fault: { kind: 'reset' }, probability: 0.2 }],
    ['a reset after it was handled', { fault: { kind: 'reset', handled: true }, probability: 0.2 }],
    [
      'an error within a success of CompleteMultipartUpload',
      {
        when: { operation: 'CompleteMultipartUpload' },
        times: 2,
        fault: {
          kind: 'error',
          status: 200,
          code: 'InternalError',
          message: 'We encountered an internal error.',
        },
      },
    ],
    [
      'the same after it was handled',
      {
        when: { operation: 'CompleteMultipartUpload' },
        times: 1,
        fault: { kind: 'error', status: 200, code: 'InternalError', message: 'x', handled: true },
      },
    ],
    [
      '409 of a conditional write',
      {
        when: { operation: 'PutObject', key: '*.csv' },
        times: 1,
        fault: race,
      },
    ],
    ['no answer', { times: 1, fault: { kind: 'hang' }, when: { operation: 'UploadPart' } }],
    ['no answer to a note', { times: 1, fault: { kind: 'hang' }, when: { key: '*/state.json' } }],
    [
      'no answer to a completion',
      { times: 1, fault: { kind: 'hang' }, when: { operation: 'CompleteMultipartUpload' } },
    ],
    [
      'truncated answers',
      { when: { operation: 'GetObject' }, times: 2, fault: { kind: 'truncate-body', afterBytes: 3 } },
    ],
    [
      'a reset within an answer',
      { when: { operation: 'GetObject' }, times: 2, fault: { kind: 'reset-body', afterBytes: 3 } },
    ],
  ])('%s', async (_, rule) => {
    bench.aws.faults.add({ ...rule, when: { service: 's3', ...rule.when } })
    const files = ['1\n', big, '3\n']
    const write = (commitId: string, hold?: typeof inParts) =>
      bench.write({
        run: { commitId, mode: 'overwrite' },
        options: { fileName: '{run_id}', manifest: true },
        streams: [{ files }],
        ...(rule.fault.kind === 'hang' ? { answerTimeoutMs } : {}),
        ...(hold ? { hold } : {}),
      })
    await write('held')
    await write('parts', inParts)
    expect(bench.aws.faults.list()[0]?.applied).toBeGreaterThan(0)
    bench.aws.faults.clear()
    expect(bench.keys()).toEqual(['manifest-nightly-parts.json', 'parts.csv', 'parts_2.csv', 'parts_3.csv'])
    expect((await bench.body('parts_2.csv')).length).toBe(big.length)
    expect(bench.notes()).toHaveLength(2)
  })
})

describe('fails, and leaves nothing', () => {
  const denied: Fault = { kind: 'error', status: 403, code: 'AccessDenied', message: 'Access Denied' }
  const parts = (operation: string, skip: number, fault: Fault): FaultRule => ({
    when: { operation },
    skip,
    fault,
  })
  it.each<[string, FaultRule, string, typeof inParts | undefined]>([
    ['an upload that may not be begun', parts('CreateMultipartUpload', 1, denied), 'permission', inParts],
    ['a part that is refused', parts('UploadPart', 2, denied), 'permission', inParts],
    ['a completion that is refused', parts('CompleteMultipartUpload', 1, denied), 'permission', inParts],
    [
      'a completion that meets another writer',
      parts('CompleteMultipartUpload', 2, {
        kind: 'error',
        status: 412,
        code: 'PreconditionFailed',
        message: 'x',
      }),
      'conflict',
      inParts,
    ],
    ['a token that expired for good', parts('UploadPart', 1, { kind: 'expired-token' }), 'auth', inParts],
    [
      'a completion that others get in the way of',
      parts('CompleteMultipartUpload', 1, race),
      'conflict',
      inParts,
    ],
    ['a part that is never answered', parts('UploadPart', 1, { kind: 'hang' }), 'network', inParts],
    [
      'a file that is never answered',
      { when: { operation: 'PutObject', key: 'new_2.csv' }, fault: { kind: 'hang' } },
      'network',
      undefined,
    ],
    [
      'a file that is refused',
      { when: { operation: 'PutObject', key: '*.csv' }, skip: 1, fault: denied },
      'permission',
      undefined,
    ],
  ])('%s', async (_, rule, kind, hold) => {
    await bench.write({ run: { mode: 'overwrite' }, options: { fileName: 'old' } })
    bench.aws.faults.add(rule)
    const run = bench.write({
      run: { mode: 'overwrite' },
      options: { fileName: 'new', manifest: true },
      streams: [{ files: ['1\n', '2\n', '3\n', '4\n'] }],
      fields: { maxAttempts: 2 },
      ...(rule.fault.kind === 'hang' ? { answerTimeoutMs } : {}),
      ...(hold ? { hold } : {}),
    })
    expect(await failure(run)).toMatchObject({ kind })
    expect(bench.keys()).toEqual(['old.csv'])
    expect(bench.notes()).toHaveLength(2)
  })

  it('renews a session that expires on the way', async () => {
    const { identities } = bench.aws
    const externalId = 'penstock-2f1d'
    const allow = { Effect: 'Allow', Action: '*', Resource: '*' } as const
    const source = identities.createUser({ name: 'caller', policies: [{ Statement: allow }] })
    const { arn: roleArn } = identities.createRole({
      name: 'exporter',
      trustPolicy: {
        Statement: { Effect: 'Allow', Principal: { AWS: source.arn }, Action: 'sts:AssumeRole' },
      },
      policies: [{ Statement: allow }],
    })
    const { accessKeyId, secretAccessKey } = source
    bench.aws.faults.add({
      when: { service: 's3', operation: 'UploadPart' },
      times: 1,
      skip: 1,
      fault: { kind: 'expired-token' },
    })
    bench.aws.log.clear()
    await bench.write({
      hold: inParts,
      fields: {
        auth: { method: 'assumed-role', roleArn, externalId, source: { accessKeyId, secretAccessKey } },
      },
      streams: [{ files: ['1\n', '2\n', '3\n'] }],
    })
    expect(bench.keys()).toHaveLength(3)
    expect(bench.aws.log.entries().filter(({ operation }) => operation === 'AssumeRole')).toHaveLength(2)
  })

  it('what can not be taken away again, the next run takes away', async () => {
    await bench.write({ options: { fileName: 'old' } })
    bench.aws.faults.add(parts('CompleteMultipartUpload', 1, denied))
    bench.aws.faults.add({ when: { operation: 'HeadObject', key: 'new*' }, fault: denied })
    const request = {
      run: { commitId: 'new' },
      options: { fileName: 'new' },
      streams: [{ files: ['1\n', '2\n'] }],
      hold: inParts,
    }
    expect(await failure(bench.write(request))).toMatchObject({ kind: 'permission' })
    expect(bench.notices.at(-1)).toContain('The next run does it, or penstock sweep.')
    bench.aws.faults.clear()
    expect(bench.keys()).toEqual(['new.csv', 'old.csv'])
    await bench.write({ ...request, run: { ...request.run, retried: true } })
    expect(bench.keys()).toEqual(['new.csv', 'new_2.csv', 'old.csv'])
  })

  it('a file that only its metadata tell to be of an earlier try is replaced by the retry', async () => {
    const key = 'new.csv'
    const leave = (commitId: string) =>
      bench.aws.s3.putObject({
        bucket,
        key,
        body: 'earlier',
        metadata: { 'penstock-export': 'nightly', 'penstock-run': commitId, 'penstock-try': 'earlier' },
      })
    const request = { run: { commitId: 'new', retried: true }, options: { fileName: 'new' } }
    await leave('another')
    expect(await failure(bench.write(request))).toMatchObject({ code: 'KeyTaken' })
    await leave('new')
    expect(await failure(bench.write({ ...request, run: { commitId: 'new' } }))).toMatchObject({
      code: 'KeyTaken',
    })
    await bench.write(request)
    expect(await bench.body(key)).toBe('id\n1\n2\n')
  })

  it('names that old files could not be removed, and does it with the next run', async () => {
    const out = (commitId: string, retried = false) =>
      bench.write({
        run: { mode: 'overwrite', commitId, retried },
        options: { fileName: '{run_id}', manifest: true },
      })
    await out('one')
    bench.aws.faults.add({
      when: { operation: 'DeleteObjects' },
      fault: { kind: 'error', status: 403, code: 'AccessDenied', message: 'x' },
    })
    expect(await failure(out('two'))).toMatchObject({ kind: 'permission' })
    bench.aws.faults.clear()
    expect(bench.keys()).toEqual(['manifest-nightly-one.json', 'one.csv', 'two.csv'])
    await out('two', true)
    expect(bench.keys()).toEqual(['manifest-nightly-two.json', 'two.csv'])
  })
})

describe('what changes on the way', () => {
  const daily = (files: string[], hold?: typeof inParts) =>
    bench.write({
      run: { mode: 'overwrite' },
      options: { fileName: 'daily' },
      streams: [{ files }],
      ...(hold ? { hold } : {}),
    })
  const change = (rule: FaultRule) => bench.aws.faults.add({ times: 1, ...rule })
  /** Another version of the same content. */
  const fault: Fault = { kind: 'change-object', mutate: (body) => Buffer.concat([body, Buffer.from('\n')]) }

  it.each([
    ['PutObject', undefined],
    ['CompleteMultipartUpload', inParts],
  ])('a file that %s replaces: a race, and the next run goes by what is there', async (operation, hold) => {
    await daily(['1\n'])
    change({ when: { operation, key: 'daily.csv' }, fault })
    expect(await failure(daily(['2\n'], hold))).toMatchObject({ kind: 'conflict', code: 'WriteRace' })
    expect(await bench.body('daily.csv')).toBe('1\n\n')
    await daily(['3\n'], hold)
    expect(await bench.body('daily.csv')).toBe('3\n')
  })

  it('a note that is read: the later one counts', async () => {
    await daily(['1\n'])
    change({ when: { operation: 'GetObject', key: '*/state.json' }, fault })
    await daily(['2\n'])
    expect(await bench.body('daily.csv')).toBe('2\n')
  })

  it('the lease while it is held: the run stops, and the old files stay', async () => {
    await daily(['1\n'])
    change({ when: { operation: 'PutObject', key: '*/state.json' }, skip: 1, fault })
    expect(await failure(daily(['2\n']))).toMatchObject({ kind: 'conflict' })
    expect(await bench.body('daily.csv')).toBe('1\n')
    await daily(['3\n'])
    expect(await bench.body('daily.csv')).toBe('3\n')
  })

  it('a note to what is none: it is named, with the way out', async () => {
    await daily(['1\n'])
    change({
      when: { operation: 'GetObject', key: '*/state.json' },
      fault: { kind: 'change-object', body: '{' },
    })
    const error = await failure(daily(['2\n']))
    expect(error).toMatchObject({ kind: 'data', code: 'InvalidState' })
    expect(error.message).toContain('state.json')
    expect(await bench.body('daily.csv')).toBe('1\n')
  })
})
