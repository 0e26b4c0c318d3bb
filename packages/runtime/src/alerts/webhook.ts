import { createHmac } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { ConnectorError } from '@penstock/core'

export interface WebhookRequest {
  readonly url: string
  readonly secret?: string | undefined
  /** JSON text. */
  readonly body: string
  /** The same for every try of one alert. */
  readonly id: string
  readonly event: string
  /** Aborted when the time is over. */
  readonly signal: AbortSignal
}

/** Pause before the first further try in ms; it doubles with each. */
const firstPause = 500
const longestPause = 15_000
/** Time for one try in ms, so that a server that hangs leaves time for another one. */
const tryLimit = 10_000

/** Where a webhook goes: https, or http to this machine. The path of the URL may be a secret, so no error repeats it. */
export const webhookUrl = (text: string): URL => {
  const url = URL.canParse(text) ? new URL(text) : undefined
  const loopback = url && ['localhost', '127.0.0.1', '[::1]'].includes(url.hostname)
  if (url?.protocol === 'https:' || (url?.protocol === 'http:' && loopback)) return url
  throw new ConnectorError(
    'config',
    url ? 'A webhook needs https; http goes to this machine alone.' : 'The URL of the webhook is none.',
    { code: 'InvalidWebhook' },
  )
}

/**
 * Header values that prove who sent a body: HMAC-SHA256 with the shared secret over `timestamp.body`, in hex.
 * The receiver computes the same and refuses an old timestamp.
 */
const signatureHeaders = (secret: string, body: string, timestamp: number): Record<string, string> => ({
  'x-penstock-timestamp': String(timestamp),
  'x-penstock-signature': `sha256=${createHmac('sha256', secret).update(`${timestamp}.${body}`).digest('hex')}`,
})

/** Posts a body. Network failures, 429 and 5xx are tried again until the signal is aborted. Returns the number of tries. */
export const postWebhook = async (request: WebhookRequest): Promise<number> => {
  const url = webhookUrl(request.url)
  for (let tries = 1; ; tries++) {
    const failure = await post(url, request)
    if (!failure) return tries
    if (!failure.again || request.signal.aborted) throw failure.error
    const pause = Math.max(failure.waitMs ?? 0, Math.min(longestPause, firstPause * 2 ** (tries - 1)))
    try {
      await sleep(pause, undefined, { signal: request.signal })
    } catch {
      throw failure.error
    }
  }
}

interface PostFailure {
  readonly error: ConnectorError
  readonly again: boolean
  readonly waitMs?: number
}

const post = async (
  url: URL,
  { secret, body, id, event, signal }: WebhookRequest,
): Promise<PostFailure | undefined> => {
  const timestamp = Math.floor(Date.now() / 1000)
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'user-agent': 'penstock',
        'x-penstock-event': event,
        'x-penstock-delivery': id,
        ...(secret === undefined ? {} : signatureHeaders(secret, body, timestamp)),
      },
      body,
      // A redirect could lead the signed body anywhere.
      redirect: 'manual',
      signal: AbortSignal.any([signal, AbortSignal.timeout(tryLimit)]),
    })
    await response.body?.cancel()
    if (response.ok) return undefined
    const again = response.status === 429 || response.status >= 500
    const wait = Number(response.headers.get('retry-after'))
    return {
      error: new ConnectorError(again ? 'network' : 'config', `${url.origin} answered ${response.status}.`, {
        code: 'WebhookRefused',
      }),
      again,
      ...(Number.isFinite(wait) && wait > 0 ? { waitMs: wait * 1000 } : {}),
    }
  } catch (cause) {
    const reason =
      ((cause as Error).cause as NodeJS.ErrnoException | undefined)?.code ?? (cause as Error).name
    return {
      error: new ConnectorError('network', `${url.origin} can't be reached (${reason}).`, {
        code: 'WebhookUnreachable',
      }),
      again: true,
    }
  }
}
