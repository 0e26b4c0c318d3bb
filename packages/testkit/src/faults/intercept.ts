import type { ServerResponse } from 'node:http'
import type { Reply, RequestInfo } from '../types.ts'
import type { Fault } from './faults.ts'
import { errorReply, isHandled } from './replies.ts'

export interface Interception {
  res: ServerResponse
  info: RequestInfo
  faults: readonly Fault[]
  requestId: string
  /** Latency of the server itself, added to that of the faults. */
  latencyMs?: number
}

/**
 * Applies the faults that strike before a request is handled: latency, hang, reset, errors. Gives the reply to write
 * instead of handling the request, `gone` when the connection has ended, or undefined to go on.
 */
export async function interceptRequest(request: Interception): Promise<Reply | 'gone' | undefined> {
  const { res, info, faults, requestId, latencyMs = 0 } = request
  const pending = faults.filter((fault) => !isHandled(fault))
  const wait = pending.reduce((sum, fault) => sum + (fault.kind === 'latency' ? fault.ms : 0), latencyMs)
  if (wait > 0 && !(await sleepWhileOpen(res, wait))) return 'gone'
  if (pending.some(({ kind }) => kind === 'hang')) {
    await sleepWhileOpen(res, Number.POSITIVE_INFINITY)
    return 'gone'
  }
  if (pending.some(({ kind }) => kind === 'reset')) {
    resetConnection(res)
    return 'gone'
  }
  return errorReply(pending, info, requestId)
}

/** Sends RST: the peer reads ECONNRESET. Closing in order would read as an early end. */
export function resetConnection(res: ServerResponse): void {
  res.socket?.resetAndDestroy()
}

/** Waits; false as soon as the connection has closed. Endless for Infinity. */
export function sleepWhileOpen(res: ServerResponse, ms: number): Promise<boolean> {
  if (res.destroyed || res.closed) return Promise.resolve(false)
  return new Promise((resolve) => {
    const timer = Number.isFinite(ms) ? setTimeout(() => settle(true), ms) : undefined
    const onClose = () => settle(false)
    function settle(open: boolean) {
      clearTimeout(timer)
      res.off('close', onClose)
      resolve(open)
    }
    res.once('close', onClose)
  })
}
