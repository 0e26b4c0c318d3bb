import { setTimeout as sleep } from 'node:timers/promises'
import { ConnectorError, isTransient } from '@penstock/core'

/** How failures that a second try may heal are tried again. */
export interface RetryOptions {
  /**
   * Tries of one request without progress, the first included. Default 10. Fewer where nothing comes at all: it is
   * given up after three times `answerTimeoutMs` of silence, at the earliest after 3 tries.
   */
  readonly attempts?: number
  /** Wait before the first retry at most, doubled each time (full jitter). Default 200 ms. */
  readonly baseDelayMs?: number
  /** Longest wait. Default 20,000 ms. */
  readonly maxDelayMs?: number
  /** Tokens of the connection's retry budget; see {@link createRetries}. Default 500, more with high concurrency. */
  readonly budget?: number
  /** Default 10,000 ms. */
  readonly connectTimeoutMs?: number
  /** Until the first byte of an answer. Default 30,000 ms. */
  readonly answerTimeoutMs?: number
  /** Longest silence within a body. Default 20,000 ms. */
  readonly stallTimeoutMs?: number
}

export interface RetrySettings extends Required<RetryOptions> {}

export const retrySettings = (options: RetryOptions, concurrency: number): RetrySettings => {
  const attempts = options.attempts ?? 10
  return {
    attempts,
    baseDelayMs: options.baseDelayMs ?? 200,
    maxDelayMs: options.maxDelayMs ?? 20_000,
    budget: options.budget ?? Math.max(500, attempts * concurrency * retryCost),
    connectTimeoutMs: options.connectTimeoutMs ?? 10_000,
    answerTimeoutMs: options.answerTimeoutMs ?? 30_000,
    stallTimeoutMs: options.stallTimeoutMs ?? 20_000,
  }
}

/** Costs as in the standard retry mode of the AWS SDKs. */
const retryCost = 5
const timeoutCost = 10
const timeoutCodes = /TIMEOUT|TIMEDOUT|Timeout/

/** A host that never answered is more likely wrong than busy. */
const attemptsBeforeFirstAnswer = 3
const silent = 'UND_ERR_HEADERS_TIMEOUT'
const unreachable =
  /^(ENOTFOUND|ECONNREFUSED|EHOSTUNREACH|ENETUNREACH|UND_ERR_CONNECT_TIMEOUT|UND_ERR_HEADERS_TIMEOUT)$/

/**
 * Tries without a byte that are borne between two signs of life, at least: a request or an answer may get lost, and the
 * connection after it may be one that the same failure broke.
 */
const leastSilences = 3

/**
 * Silence that is borne at most, as a multiple of the longest wait for an answer: 90 s by default, in 3 tries that are
 * not answered, 5 bodies that stop or 9 connections that are not accepted. It is time that is counted, for an outage of
 * a minute has to be outlived whichever way it shows. All tries of a request (10) would wait for 300 s, and nothing
 * that heals by itself takes that long: a store that is busy says so, with a 503, and that is still tried 10 times.
 */
const mostSilence = 3

/** How long a try that ended with this code has waited in vain, in ms. Undefined where something came. */
const silenceOf = (code: string | undefined, settings: RetrySettings): number | undefined => {
  if (code === 'UND_ERR_CONNECT_TIMEOUT') return settings.connectTimeoutMs
  if (code === 'UND_ERR_BODY_TIMEOUT') return settings.stallTimeoutMs
  return code === silent || code === 'ETIMEDOUT' || code === 'TimeoutError'
    ? settings.answerTimeoutMs
    : undefined
}

export interface RetryNotice {
  readonly attempt: number
  readonly delayMs: number
  readonly reason: string
}

/** Failures of one request or one range in a row; progress resets them. */
export interface RetryRun {
  /**
   * Waits before the next try. Throws the error itself when it is none that a retry heals, and an error that names
   * it when attempts or budget are used up.
   */
  wait(error: ConnectorError, options?: { readonly retryAfterMs?: number | undefined }): Promise<void>
  /** Bytes came: the next failure counts as the first again. */
  progress(): void
  /** The request succeeded: gives its tokens back. */
  done(): void
}

export interface RetryLimits {
  /** Tries that end without any answer, at most: fewer than else, of requests that are given much time for one. */
  readonly mostSilences?: number | undefined
}

export interface Retries {
  start(signal: AbortSignal, onRetry?: (notice: RetryNotice) => void, limits?: RetryLimits): RetryRun
  /** The other side answered, with whatever. */
  answered(): void
  count(): number
}

/**
 * Retries of a connection, with a budget that all of its requests share, so that a store that is down is not flooded:
 * a bucket of tokens, of which a retry takes 5 (10 after a timeout); a success after retries gives back what it took,
 * another success 1.
 */
export const createRetries = (settings: RetrySettings, random: () => number = Math.random): Retries => {
  let tokens = settings.budget
  let count = 0
  let reached = false

  const start: Retries['start'] = (signal, onRetry, { mostSilences = Number.POSITIVE_INFINITY } = {}) => {
    let failures = 0
    let unanswered = 0
    const silence = { tries: 0, ms: 0 }
    let taken = 0
    return {
      async wait(error, { retryAfterMs } = {}) {
        if (!isTransient(error)) throw error
        failures++
        if (error.code === silent) unanswered++
        const waitedMs = silenceOf(error.code, settings)
        if (waitedMs !== undefined) {
          silence.tries++
          silence.ms += waitedMs
          const enough =
            silence.tries >= leastSilences && silence.ms >= mostSilence * settings.answerTimeoutMs
          if (enough || unanswered >= mostSilences)
            throw gaveUp(error, `after ${failures === 1 ? '1 attempt' : `${failures} attempts`}`)
        }
        const never = !reached && unreachable.test(error.code ?? '')
        const attempts = never ? Math.min(settings.attempts, attemptsBeforeFirstAnswer) : settings.attempts
        if (failures >= attempts) throw attempts > 1 ? gaveUp(error, `after ${failures} attempts`) : error
        const cost = timeoutCodes.test(error.code ?? '') ? timeoutCost : retryCost
        if (tokens < cost)
          throw gaveUp(error, `because the retry budget of the connection is used up (${count} retries)`)
        tokens -= cost
        taken += cost
        count++
        const ceiling = Math.min(settings.maxDelayMs, settings.baseDelayMs * 2 ** (failures - 1))
        const delayMs = Math.round(Math.max(random() * ceiling, Math.min(retryAfterMs ?? 0, 60_000)))
        onRetry?.({ attempt: failures + 1, delayMs, reason: error.message })
        await sleep(delayMs, undefined, { signal })
      },
      progress() {
        failures = 0
        silence.tries = 0
        silence.ms = 0
      },
      done() {
        tokens = Math.min(settings.budget, tokens + Math.max(1, taken))
        taken = 0
      },
    }
  }

  return Object.freeze({
    start,
    answered: () => {
      reached = true
    },
    count: () => count,
  })
}

const gaveUp = (error: ConnectorError, why: string): ConnectorError =>
  new ConnectorError(error.kind, `${error.message.replace(/\.$/, '')}; gave up ${why}.`, {
    ...(error.hint === undefined ? {} : { hint: error.hint }),
    ...(error.code === undefined ? {} : { code: error.code }),
    ...(error.place === undefined ? {} : { place: error.place }),
    cause: error.cause,
  })

/** `Retry-After` in ms: seconds or an HTTP date. */
export const parseRetryAfter = (value: string | undefined, now: Date): number | undefined => {
  if (value === undefined) return undefined
  if (/^\d+$/.test(value.trim())) return Number(value) * 1000
  const date = Date.parse(value)
  return Number.isNaN(date) ? undefined : Math.max(0, date - now.getTime())
}
