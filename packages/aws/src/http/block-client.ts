import type { LookupFunction } from 'node:net'
import { type BlockLine, type LineAnswer, type OnBlock, openLine } from './block-line.ts'

export interface BlockRequest {
  /** Path and query, as they are sent. */
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly signal: AbortSignal
}

export interface BlockAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  /** Body of an error. */
  readonly text?: string
  /** See {@link LineAnswer.drain}. */
  readonly drain: (onBlock: OnBlock) => Promise<void>
  /** Gives the answer up. */
  readonly destroy: () => void
}

/** Fetches large bodies of one origin into memory that is used again, over connections that are kept. */
export interface BlockClient {
  get(request: BlockRequest): Promise<BlockAnswer>
  close(): void
}

export interface BlockClientOptions {
  readonly origin: string
  readonly lookup?: LookupFunction | undefined
  readonly connectTimeoutMs: number
  readonly answerTimeoutMs: number
  readonly stallTimeoutMs: number
}

/** Servers close connections that are idle, some after 5 s: one that is about to be closed must not be used. */
const maxIdleMs = 3_000

export const createBlockClient = (options: BlockClientOptions): BlockClient => {
  const url = new URL(options.origin)
  const secure = url.protocol === 'https:'
  const port = Number(url.port) || (secure ? 443 : 80)
  const idle: { readonly line: BlockLine; readonly since: number }[] = []
  const open = new Set<BlockLine>()

  const takeIdle = (): BlockLine | undefined => {
    for (let last = idle.pop(); last; last = idle.pop()) {
      if (last.line.usable() && performance.now() - last.since < maxIdleMs) return last.line
      drop(last.line)
    }
    return undefined
  }
  const drop = (line: BlockLine, reason?: unknown): void => {
    open.delete(line)
    line.destroy(reason)
  }

  const exchange = async (line: BlockLine, head: string, signal: AbortSignal): Promise<BlockAnswer> => {
    open.add(line)
    const abort = (): void => drop(line, signal.reason)
    const stopListening = () => signal.removeEventListener('abort', abort)
    const failed = (error: unknown): never => {
      stopListening()
      drop(line)
      throw error
    }
    signal.addEventListener('abort', abort, { once: true })
    const answer: LineAnswer = await line.get(head).catch(failed)
    const { status, headers, text } = answer
    if (text !== undefined) stopListening()
    return {
      status,
      headers,
      ...(text === undefined ? {} : { text }),
      drain: async (onBlock) => {
        await answer.drain(onBlock).catch(failed)
        stopListening()
        if (line.usable()) idle.push({ line, since: performance.now() })
        else drop(line)
      },
      destroy: () => {
        stopListening()
        drop(line)
      },
    }
  }

  const get = async ({ path, headers, signal }: BlockRequest): Promise<BlockAnswer> => {
    signal.throwIfAborted()
    const head = requestHead(path, headers)
    const kept = takeIdle()
    if (kept) {
      try {
        return await exchange(kept, head, signal)
      } catch (error) {
        // The server may have closed it at the same moment: a request that changes nothing can be sent again.
        if (signal.aborted) throw error
      }
    }
    const line = openLine({ ...options, secure, hostname: url.hostname, port })
    return exchange(line, head, signal)
  }

  return Object.freeze({
    get,
    close: () => {
      for (const line of [...open]) drop(line)
    },
  })
}

const requestHead = (path: string, headers: Readonly<Record<string, string>>): string => {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  const head = `GET ${path} HTTP/1.1\r\n${lines.join('')}\r\n`
  // A line break within a value would begin a header of somebody else's.
  if (
    head.split('\r\n').length !== lines.length + 3 ||
    !/^[\t\r\n\x20-\xff]*$/.test(head) ||
    /[^\r]\n|\r[^\n]/.test(head)
  )
    throw Object.assign(new Error('A header has a character that no header can have.'), {
      code: 'UND_ERR_INVALID_ARG',
    })
  return head
}
