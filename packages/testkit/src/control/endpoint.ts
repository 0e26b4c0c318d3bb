import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { type ControlState, type ControlTarget, commands } from './commands.ts'
import { controlPath, fromJson, toJson } from './protocol.ts'

/** Bytes of a request; objects travel in it as Base64. */
const maximumBody = 512 * 1024 * 1024

/**
 * Handles requests below `/_penstock/`: `POST /_penstock/<command>` with `authorization: Bearer TOKEN` and the
 * arguments as a JSON list. Answers `{ result }` or `{ error: { name, message } }`. Returns false for other paths.
 */
export function createControl({ target, token }: { target: ControlTarget; token: string }) {
  if (token.length < 16) throw new Error('The control token needs at least 16 characters')
  const state: ControlState = { target, removers: new Map(), nextFault: 1 }
  return (req: IncomingMessage, res: ServerResponse): boolean => {
    if (!req.url?.startsWith(controlPath)) return false
    answer(state, token, req).then(
      ([status, body]) => send(res, status, body),
      (error: unknown) => send(res, ...failure(error)),
    )
    return true
  }
}

type Answer = [status: number, body: unknown]

async function answer(state: ControlState, token: string, req: IncomingMessage): Promise<Answer> {
  // A page in a browser sends Origin: it has no business here, whatever it knows.
  if (req.headers.origin !== undefined || !sameText(req.headers.authorization ?? '', `Bearer ${token}`)) {
    req.resume()
    return [403, { error: { name: 'AccessDenied', message: 'The control token is missing or wrong' } }]
  }
  const name = (req.url ?? '').slice(controlPath.length)
  if (req.method !== 'POST' || !isCommand(name)) {
    req.resume()
    return [404, { error: { name: 'NoSuchCommand', message: `There is no command ${req.method} ${name}` } }]
  }
  const result = await commands[name].run(state, fromJson(await readBody(req)))
  return [200, { result: result ?? null }]
}

function failure(error: unknown): Answer {
  const { name, message } = error instanceof Error ? error : { name: 'Error', message: String(error) }
  return [400, { error: { name, message } }]
}

const isCommand = (name: string): name is keyof typeof commands => Object.hasOwn(commands, name)

/** Takes the same time wherever the texts differ. */
function sameText(left: string, right: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(left), digest(right))
}

async function readBody(req: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of req) {
    const bytes = Buffer.isBuffer(chunk) ? chunk : Buffer.from(String(chunk))
    size += bytes.length
    if (size > maximumBody) throw new RangeError(`A control request has at most ${maximumBody} bytes`)
    chunks.push(bytes)
  }
  return chunks.length === 0 ? '[]' : Buffer.concat(chunks).toString('utf8')
}

function send(res: ServerResponse, status: number, body: unknown): void {
  if (res.destroyed) return
  const text = Buffer.from(toJson(body))
  res.writeHead(status, { 'content-type': 'application/json', 'content-length': text.length })
  res.end(text)
}
