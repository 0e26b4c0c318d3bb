import { connect as connectTcp, isIP, type LookupFunction, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { type AnswerHead, bodyLength, errorText, parseHead } from './answer-head.ts'

/** Takes bytes whose memory is used again when it returns, or when its promise resolves. */
export type OnBlock = (block: Uint8Array) => void | Promise<void>

export interface LineOptions {
  readonly secure: boolean
  readonly hostname: string
  readonly port: number
  readonly lookup?: LookupFunction | undefined
  readonly connectTimeoutMs: number
  readonly answerTimeoutMs: number
  readonly stallTimeoutMs: number
}

/** The head of an answer. Of an error the body is there as text; otherwise it is handed out in blocks. */
export interface LineAnswer extends AnswerHead {
  readonly text?: string
  /**
   * Resolves when all of the body was taken. Rejects when it breaks off or with the error of `onBlock`, in any case
   * only after `onBlock` is through with its last block, which is what had come until then.
   */
  readonly drain: (onBlock: OnBlock) => Promise<void>
}

/** One connection: one request at a time. */
export interface BlockLine {
  /** Sends a request without a body. The next one may be sent once the body was drained. */
  get(head: string): Promise<LineAnswer>
  /** False once it is of no use for a further request. */
  usable(): boolean
  destroy(reason?: unknown): void
}

/** Two for each connection: one is filled while the other one is written, by whatever thread. */
const blockBytes = 512 * 1024
/** Behind it, room for what may come after reading was stopped: TLS hands out what it has decrypted already. */
const reserveBytes = 128 * 1024

const failure = (message: string, code: string): Error => Object.assign(new Error(message), { code })
const brokenOff = () => failure('The connection ended early.', 'ECONNRESET')

/**
 * Opens a connection from which Node reads straight into memory that is used again (`onread`): nothing is allocated for
 * what arrives, and no stream passes it on. That takes a sixth of the processor time of an HTTP client.
 */
export const openLine = (options: LineOptions): BlockLine => {
  let block = Buffer.from(new SharedArrayBuffer(blockBytes + reserveBytes))
  let other = Buffer.from(new SharedArrayBuffer(blockBytes + reserveBytes))
  /** Bytes at the beginning of the block that nobody has taken yet. */
  let filled = 0
  let keep = true
  let cause: unknown
  /** Looks at what came; false stops reading until {@link read}. */
  let onBytes = (): boolean => destroy(failure('The server sent more than its answer.', 'ECONNRESET'))
  let onClose: (reason: unknown) => void = () => {}

  const destroy = (reason: unknown = brokenOff()): false => {
    keep = false
    cause ??= reason
    socket.destroy()
    return false
  }

  let timer: NodeJS.Timeout | undefined
  const watch = (ms: number, code: string): void => {
    clearTimeout(timer)
    timer = setTimeout(() => destroy(failure('Nothing came for too long.', code)), ms)
  }
  const stopWatching = (): void => {
    clearTimeout(timer)
    timer = undefined
  }

  /** Where the next bytes will land: Node asks for it after each read, and never else. */
  let landing = { block, at: 0 }
  const socket = connect(options, {
    buffer: () => {
      landing = { block, at: filled }
      return block.subarray(filled, filled < blockBytes ? blockBytes : block.length)
    },
    callback: (count) => {
      // A block that was handed out meanwhile: they are behind its bytes.
      if (landing.block !== block || landing.at !== filled)
        landing.block.copy(block, filled, landing.at, landing.at + count)
      filled += count
      timer?.refresh()
      const more = onBytes()
      return filled < block.length ? more : destroy()
    },
  })
  watch(options.connectTimeoutMs, 'UND_ERR_CONNECT_TIMEOUT')
  socket.once(options.secure ? 'secureConnect' : 'connect', () =>
    watch(options.answerTimeoutMs, 'UND_ERR_HEADERS_TIMEOUT'),
  )
  socket.on('error', (error) => {
    cause ??= error
  })
  socket.once('close', () => {
    keep = false
    stopWatching()
    onClose(cause ?? brokenOff())
  })
  // Its end is told to those who read alone.
  socket.resume()

  const read = (): void => {
    watch(options.stallTimeoutMs, 'UND_ERR_BODY_TIMEOUT')
    socket.resume()
  }

  const get = (request: string): Promise<LineAnswer> =>
    new Promise((resolve, reject) => {
      onClose = reject
      onBytes = () => {
        const end = block.subarray(0, filled).indexOf('\r\n\r\n', 0, 'latin1')
        if (end === -1)
          return (
            filled < blockBytes ||
            destroy(failure('The head of the answer has no end.', 'HPE_HEADER_OVERFLOW'))
          )
        const head = parseHead(block.toString('latin1', 0, end))
        if (!head) return destroy(failure('The answer is none of HTTP/1.1.', 'HPE_INVALID_CONSTANT'))
        block.copyWithin(0, end + 4, filled)
        filled -= end + 4
        // An interim answer; the one that counts follows.
        if (head.status < 200) return filled === 0 || onBytes()
        if (head.status >= 300) return readError(head, resolve)
        const length = bodyLength(head)
        if (length === undefined)
          return destroy(failure('The answer does not tell its length.', 'UND_ERR_RESPONSE'))
        keep = head.headers.connection?.toLowerCase() !== 'close'
        stopWatching()
        onBytes = () => false
        resolve({ ...head, drain: (onBlock) => drain(length, onBlock) })
        return false
      }
      if (socket.destroyed) return reject(cause ?? brokenOff())
      if (!socket.connecting) watch(options.answerTimeoutMs, 'UND_ERR_HEADERS_TIMEOUT')
      socket.write(request, 'latin1')
      socket.resume()
    })

  /** Error documents are gathered; the connection is given up, as errors are rare. */
  const readError = (head: AnswerHead, resolve: (answer: LineAnswer) => void): boolean => {
    const finish = (ended: boolean): boolean => {
      const text = errorText(head, block.subarray(0, filled), ended)
      if (text === undefined) return true
      resolve({ ...head, text, drain: async () => {} })
      return destroy()
    }
    onBytes = () => finish(filled > reserveBytes)
    onClose = () => void finish(true)
    return onBytes()
  }

  const drain = (length: number, onBlock: OnBlock): Promise<void> =>
    new Promise((resolve, reject) => {
      let left = length
      let busy: Promise<void> | undefined
      onClose = (reason) => {
        // All of it came: what is left to do is the block that is being written.
        if (left === 0) return
        const rest = Buffer.from(block.subarray(0, Math.min(filled, left)))
        onBytes = () => false
        Promise.resolve(busy)
          .then(() => (rest.length > 0 ? onBlock(rest) : undefined))
          .then(() => reject(reason), reject)
      }
      const finished = (): boolean => {
        if (left > 0) return false
        onClose = () => {}
        onBytes = () => destroy()
        stopWatching()
        if (filled > 0) destroy()
        else socket.resume()
        resolve()
        return true
      }
      const fail = (error: unknown): void => {
        onClose = () => {}
        destroy(error)
        reject(error)
      }
      onBytes = () => {
        const whole = filled >= left
        if (!whole && filled < blockBytes) return true
        if (busy) {
          stopWatching()
          return false
        }
        const bytes = block.subarray(0, Math.min(filled, left))
        ;[block, other] = [other, block]
        filled -= bytes.length
        left -= bytes.length
        try {
          const task = onBlock(bytes)
          if (!task) return finished() || true
          busy = task
          task.then(() => {
            busy = undefined
            if (!finished() && onBytes()) read()
          }, fail)
        } catch (error) {
          fail(error)
          return false
        }
        return left > 0
      }
      if (socket.destroyed && filled < length) reject(cause ?? brokenOff())
      else if (onBytes()) read()
    })

  return Object.freeze({ get, usable: () => keep && !socket.destroyed, destroy })
}

interface OnRead {
  readonly buffer: () => Uint8Array
  readonly callback: (count: number) => boolean
}

const connect = (options: LineOptions, onread: OnRead): Socket => {
  const { hostname, port, secure, lookup } = options
  // An IPv6 address stands in brackets in a URL.
  const host = hostname.replace(/^\[|\]$/g, '')
  const target = { host, port, onread, ...(lookup ? { lookup } : {}) }
  if (!secure) return connectTcp(target).setNoDelay(true)
  return connectTls({
    ...target,
    ALPNProtocols: ['http/1.1'],
    ...(isIP(host) ? {} : { servername: host }),
  })
}
