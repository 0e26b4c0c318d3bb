import { ConnectorError } from '@penstock/core'
import { expect, test } from 'vitest'
import { createRetries, parseRetryAfter, type RetryOptions, retrySettings } from './retry.ts'

const settings = (options: RetryOptions = {}) =>
  retrySettings({ baseDelayMs: 1, maxDelayMs: 4, ...options }, 1)
const signal = new AbortController().signal
const slow = new ConnectorError('throttled', 'S3 asks to slow down (SlowDown).', { code: 'SlowDown' })
const reset = new ConnectorError('network', 'The host broke off.', { code: 'ECONNRESET', hint: 'Try again.' })

test('what no retry heals is thrown as it is', async () => {
  const denied = new ConnectorError('permission', 'No.')
  await expect(createRetries(settings()).start(signal).wait(denied)).rejects.toBe(denied)
})

test('waits double up to the longest, with full jitter', async () => {
  const delays: number[] = []
  const run = createRetries(settings({ attempts: 6 }), () => 1).start(signal, ({ delayMs }) =>
    delays.push(delayMs),
  )
  for (let failure = 0; failure < 5; failure++) await run.wait(slow)
  expect(delays).toEqual([1, 2, 4, 4, 4])
  const none: number[] = []
  await createRetries(settings(), () => 0)
    .start(signal, ({ delayMs }) => none.push(delayMs))
    .wait(slow)
  expect(none).toEqual([0])
})

test('a wait that the server asks for is kept', async () => {
  const delays: number[] = []
  const run = createRetries(settings(), () => 0).start(signal, ({ delayMs }) => delays.push(delayMs))
  await run.wait(slow, { retryAfterMs: 3 })
  expect(delays).toEqual([3])
})

test('after the last attempt the error tells how many there were', async () => {
  const run = createRetries(settings({ attempts: 3 })).start(signal)
  await run.wait(reset)
  await run.wait(reset)
  await expect(run.wait(reset)).rejects.toMatchObject({
    kind: 'network',
    code: 'ECONNRESET',
    hint: 'Try again.',
    message: 'The host broke off; gave up after 3 attempts.',
  })
})

test('progress makes the next failure the first one again', async () => {
  const run = createRetries(settings({ attempts: 2 })).start(signal)
  for (let failure = 0; failure < 10; failure++) {
    await run.wait(reset)
    run.progress()
  }
})

test('the budget is shared: when it is gone, the error says so and names the last cause', async () => {
  const retries = createRetries(settings({ budget: 12, attempts: 5 }))
  await retries.start(signal).wait(slow)
  await retries.start(signal).wait(slow)
  await expect(retries.start(signal).wait(slow)).rejects.toThrow(
    'S3 asks to slow down (SlowDown); gave up because the retry budget of the connection is used up (2 retries).',
  )
})

test('success gives tokens back, as many as its retries took', async () => {
  const retries = createRetries(settings({ budget: 10 }))
  for (let request = 0; request < 20; request++) {
    const run = retries.start(signal)
    await run.wait(slow)
    await run.wait(slow)
    run.done()
  }
  expect(retries.count()).toBe(40)
})

test('a timeout costs twice', async () => {
  const timeout = new ConnectorError('network', 'Nothing came.', { code: 'UND_ERR_BODY_TIMEOUT' })
  const retries = createRetries(settings({ budget: 14 }))
  await retries.start(signal).wait(timeout)
  await expect(retries.start(signal).wait(slow)).rejects.toThrow(/budget/)
})

test('silence is borne as often as it is told, and other failures do not count', async () => {
  const silence = new ConnectorError('network', 'Nothing came.', { code: 'UND_ERR_HEADERS_TIMEOUT' })
  const retries = createRetries(settings())
  retries.answered()
  const run = retries.start(signal, undefined, { mostSilences: 2 })
  await run.wait(silence)
  await run.wait(reset)
  await expect(run.wait(silence)).rejects.toMatchObject({
    message: 'Nothing came; gave up after 3 attempts.',
    code: 'UND_ERR_HEADERS_TIMEOUT',
  })
})

test.each([
  ['UND_ERR_HEADERS_TIMEOUT', 3],
  ['UND_ERR_BODY_TIMEOUT', 5],
  ['UND_ERR_CONNECT_TIMEOUT', 9],
])('silence that ends with %s is given up after 90 to 100 s: at the try %i', async (code, tries) => {
  const silence = new ConnectorError('network', 'Nothing came.', { code })
  const retries = createRetries(settings())
  retries.answered()
  const run = retries.start(signal)
  // Bytes begin it anew.
  await run.wait(silence)
  await run.wait(silence)
  run.progress()
  for (let failure = 1; failure < tries; failure++) await run.wait(silence)
  await expect(run.wait(silence)).rejects.toMatchObject({
    message: `Nothing came; gave up after ${tries} attempts.`,
    code,
  })
})

test('silence of several sorts adds up, and an answer that asks to slow down is no silence', async () => {
  const sort = (code: string) => new ConnectorError('network', 'Nothing came.', { code })
  const retries = createRetries(settings())
  retries.answered()
  const run = retries.start(signal)
  await run.wait(sort('UND_ERR_HEADERS_TIMEOUT'))
  await run.wait(sort('UND_ERR_BODY_TIMEOUT'))
  for (let failure = 0; failure < 4; failure++) await run.wait(slow)
  await run.wait(sort('UND_ERR_BODY_TIMEOUT'))
  await run.wait(sort('UND_ERR_CONNECT_TIMEOUT'))
  await expect(run.wait(sort('UND_ERR_CONNECT_TIMEOUT'))).rejects.toThrow('gave up after 9 attempts')
})

test('where no answer is waited for long, three silences are borne all the same', async () => {
  const stall = new ConnectorError('network', 'Nothing came.', { code: 'UND_ERR_BODY_TIMEOUT' })
  const retries = createRetries(settings({ answerTimeoutMs: 10, stallTimeoutMs: 1_000 }))
  retries.answered()
  const run = retries.start(signal)
  await run.wait(stall)
  await run.wait(stall)
  await expect(run.wait(stall)).rejects.toThrow('gave up after 3 attempts')
})

test('a host that never answered is tried three times only', async () => {
  const refused = new ConnectorError('network', 'Refused.', { code: 'ECONNREFUSED' })
  const retries = createRetries(settings())
  const run = retries.start(signal)
  await run.wait(refused)
  await run.wait(refused)
  await expect(run.wait(refused)).rejects.toThrow(/gave up after 3 attempts/)
  retries.answered()
  const later = retries.start(signal)
  for (let failure = 0; failure < 5; failure++) await later.wait(refused)
})

test('an abort ends a wait', async () => {
  const stop = new AbortController()
  const waiting = createRetries(settings({ baseDelayMs: 60_000, maxDelayMs: 60_000 }), () => 1)
    .start(stop.signal)
    .wait(slow)
  stop.abort()
  await expect(waiting).rejects.toThrow(/abort/)
})

test('Retry-After is seconds or a date', () => {
  const now = new Date('2026-01-01T00:00:00Z')
  expect(parseRetryAfter('2', now)).toBe(2000)
  expect(parseRetryAfter('Thu, 01 Jan 2026 00:00:05 GMT', now)).toBe(5000)
  expect(parseRetryAfter('Wed, 31 Dec 2025 00:00:05 GMT', now)).toBe(0)
  expect(parseRetryAfter('soon', now)).toBeUndefined()
  expect(parseRetryAfter(undefined, now)).toBeUndefined()
})
