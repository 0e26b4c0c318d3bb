import { parentPort } from 'node:worker_threads'
import type { Answer, Envelope } from './thread.ts'

/** The other side of a thread: answers its calls, one after the other. */
export const answerCalls = <Request, Reply>(handle: (request: Request) => Reply): void => {
  const attempt = (call: number, request: Request): Answer<Reply> => {
    try {
      return { call, reply: handle(request) }
    } catch (error) {
      const { message, code } = error as NodeJS.ErrnoException
      return { call, error: { message, ...(code === undefined ? {} : { code }) } }
    }
  }
  parentPort?.on('message', ({ call, request }: Envelope<Request>) => {
    const answer = attempt(call ?? 0, request)
    if (call !== undefined) parentPort?.postMessage(answer)
  })
}
