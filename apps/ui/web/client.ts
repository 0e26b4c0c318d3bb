import type { ApiError, ApiFailure, CheckLine, FieldProblem, LiveRun } from '@penstock/ui/api'

/** An answer that is no success, with what is wrong with each field of a form. */
export class ApiProblem extends Error {
  readonly error: ApiError
  readonly problems: readonly FieldProblem[]

  constructor(error: ApiError, problems: readonly FieldProblem[] = []) {
    super(error.message)
    this.name = 'ApiProblem'
    this.error = error
    this.problems = problems
  }
}

/** What went wrong, whatever was thrown. */
export const problemOf = (thrown: unknown): ApiError => {
  if (thrown instanceof ApiProblem) return thrown.error
  if (thrown instanceof TypeError)
    return {
      kind: 'network',
      message: 'The server does not answer.',
      hint: 'Look whether penstock ui still runs in its terminal; after a new start, open the address that it prints.',
    }
  return { kind: 'internal', message: thrown instanceof Error ? thrown.message : String(thrown) }
}

type Method = 'GET' | 'PUT' | 'POST' | 'DELETE'

const send = async (method: Method, path: string, body: unknown, signal: AbortSignal | undefined) => {
  const response = await fetch(path, {
    method,
    ...(signal ? { signal } : {}),
    ...(body === undefined
      ? {}
      : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
  })
  if (response.ok) return response
  if (response.status === 401)
    throw new ApiProblem({
      kind: 'auth',
      message: 'This page has no valid token any more.',
      hint: 'Open the address that penstock ui printed in the terminal.',
    })
  const failure = (await response.json().catch(() => undefined)) as ApiFailure | undefined
  if (failure?.error) throw new ApiProblem(failure.error, failure.problems)
  throw new ApiProblem({ kind: 'internal', message: `The server answered ${response.status}.` })
}

/** Calls the API. Throws {@link ApiProblem}. */
export const call = async <Result>(
  method: Method,
  path: string,
  options: { readonly body?: unknown; readonly signal?: AbortSignal } = {},
): Promise<Result> => {
  const response = await send(method, path, options.body, options.signal)
  return (await response.json()) as Result
}

/** A path of the API from texts that may have any characters. */
export const path = (parts: TemplateStringsArray, ...names: readonly string[]): string =>
  parts.reduce((text, part, index) => `${text}${encodeURIComponent(names[index - 1] ?? '')}${part}`)

/** Tests a connection; each step is told as soon as it is known. */
export const checkConnection = (
  name: string,
  tell: (line: CheckLine) => void,
  signal: AbortSignal,
): Promise<void> => readSteps(send('POST', path`/api/connections/${name}/check`, undefined, signal), tell)

/** The same of what a form says, before it is saved. Throws {@link ApiProblem} where a field is wrong. */
export const checkDraft = (
  name: string,
  body: unknown,
  tell: (line: CheckLine) => void,
  signal: AbortSignal,
): Promise<void> => readSteps(send('POST', path`/api/drafts/${name}/check`, body, signal), tell)

const readSteps = async (sent: Promise<Response>, tell: (line: CheckLine) => void): Promise<void> => {
  const response = await sent
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader()
  let rest = ''
  for (;;) {
    const { value = '', done = true } = (await reader?.read()) ?? {}
    const lines = (rest + value).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) if (line !== '') tell(JSON.parse(line) as CheckLine)
    if (done) return
  }
}

/** Follows a run that the server has started. Gives what stops the watching. */
export const watchRun = (id: string, listener: (run: LiveRun) => void): (() => void) => {
  const events = new EventSource(path`/api/live/${id}/events`)
  events.addEventListener('run', (event) => {
    const run = JSON.parse((event as MessageEvent<string>).data) as LiveRun
    if (run.status !== 'running') events.close()
    listener(run)
  })
  return () => events.close()
}
