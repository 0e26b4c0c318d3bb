import { existsSync } from 'node:fs'
import { Worker } from 'node:worker_threads'
import { ConnectorError } from '@penstock/core'

/** A thread that answers calls in their order. It alone never keeps the process running; a call that is waited for does. */
export interface Thread<Request, Reply> {
  /** Expects no answer. What fails shows with a later call. */
  post(request: Request): void
  /** Rejects with the error of the thread (its message, and its code where it has one), or `cancelled` by `close`. */
  call(request: Request, transfer?: readonly ArrayBuffer[]): Promise<Reply>
  close(): void
}

/** Between the two sides; without a number no answer is expected. */
export interface Envelope<Request> {
  readonly call?: number
  readonly request: Request
}

export interface Answer<Reply> {
  readonly call: number
  readonly reply?: Reply
  readonly error?: { readonly message: string; readonly code?: string }
}

/** The sources run as .ts, the build as .js. */
const moduleOf = (name: string, base: string): URL =>
  new URL(`${name}.${base.endsWith('.ts') ? 'ts' : 'js'}`, base)

/** False where a bundler has left the module behind. */
export const isThreadModule = (name: string, base: string): boolean => existsSync(moduleOf(name, base))

/** The thread is started by the first request, with the module `name` next to `base`. */
export const createThread = <Request, Reply>(name: string, base: string): Thread<Request, Reply> => {
  const module = moduleOf(name, base)
  const pending = new Map<number, PromiseWithResolvers<Reply>>()
  let thread: Worker | undefined
  let lastCall = 0

  const failAll = (error: Error): void => {
    thread = undefined
    for (const { reject } of pending.values()) reject(error)
    pending.clear()
  }

  const settle = ({ call, reply, error }: Answer<Reply>): void => {
    const waiting = pending.get(call)
    pending.delete(call)
    if (pending.size === 0) thread?.unref()
    if (error) waiting?.reject(Object.assign(new Error(error.message), { code: error.code }))
    else waiting?.resolve(reply as Reply)
  }

  const start = (): Worker => {
    if (thread) return thread
    const worker = new Worker(module)
    worker.on('message', settle)
    worker.on('error', failAll)
    worker.on('exit', () => failAll(new Error('A thread ended.')))
    worker.unref()
    thread = worker
    return worker
  }

  return Object.freeze({
    post: (request: Request) => start().postMessage({ request } satisfies Envelope<Request>),
    call: (request: Request, transfer: readonly ArrayBuffer[] = []) => {
      const worker = start()
      const call = ++lastCall
      const result = Promise.withResolvers<Reply>()
      if (pending.size === 0) worker.ref()
      pending.set(call, result)
      worker.postMessage({ call, request } satisfies Envelope<Request>, transfer)
      return result.promise
    },
    close: () => {
      void thread?.terminate()
      failAll(new ConnectorError('cancelled', 'Cancelled.'))
    },
  })
}
