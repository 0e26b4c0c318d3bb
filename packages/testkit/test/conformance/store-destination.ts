import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { ConnectorError, defineDestination, secret, type WrittenFile } from '@penstock/core'
import { z } from 'zod'

/** What can be wrong with how a run becomes visible, which shows after a crash alone, and with how it talks to the store. */
export type StoreMutation =
  | 'marks-first'
  | 'publishes-each-file'
  | 'unavailable-is-done'
  | 'cut-is-done'
  | 'secret-in-notice'
  | 'secret-in-error'
  | 'asks-for-more-than-its-policy'

export const storeToken = 'store-token-4f90'
/** Of somebody who may do what a policy says. */
export const limitedToken = 'store-token-limited'

type Row = Record<string, string | null>

/** A service that takes parts of a run and makes them visible together. */
export const startStore = async () => {
  /** Parts by path: `parts/COMMIT/STREAM/NUMBER` are staged, `shown/...` are in sight; `marks/COMMIT` say that it is done. */
  const objects = new Map<string, string>()
  let allowed: readonly string[] = []
  const server = createServer(async (request, response) => {
    const body = Buffer.concat(await Array.fromAsync(request)).toString()
    const path = decodeURI(request.url ?? '').slice(1)
    const send = (status: number) => response.writeHead(status).end(JSON.stringify({ status }))
    if (request.headers.authorization === `Bearer ${limitedToken}`) {
      if (!allowed.includes(request.method ?? '')) return send(403)
    } else if (request.headers.authorization !== `Bearer ${storeToken}`) return send(401)
    if (request.method === 'GET') return send(path === '' || objects.has(path) ? 200 : 404)
    if (request.method === 'PUT') objects.set(path, body)
    if (request.method === 'DELETE')
      for (const key of objects.keys()) if (key.startsWith(path)) objects.delete(key)
    if (request.method === 'POST')
      for (const [key, value] of objects)
        if (key.startsWith(`parts/${path}`)) {
          objects.set(key.replace('parts', 'shown'), value)
          objects.delete(key)
        }
    return send(200)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    /** What the limited token may do from now on. */
    allow: (methods: readonly string[]) => {
      allowed = methods
    },
    clear: () => objects.clear(),
    paths: () => [...objects.keys()],
    rows: (stream: string): Row[] =>
      [...objects]
        .filter(([key]) => key.startsWith('shown/') && key.split('/')[2] === encodeURIComponent(stream))
        .flatMap(([, text]) => text.split('\n').filter((line) => line !== ''))
        .map((line) => JSON.parse(line, textValue) as Row),
    close: () => {
      server.closeAllConnections()
      return new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
}

const kinds: Readonly<Record<number, 'auth' | 'permission' | 'throttled'>> = {
  401: 'auth',
  403: 'permission',
  429: 'throttled',
}

const textValue = (_: string, value: unknown, { source }: { source?: string } = {}): unknown => {
  if (typeof value === 'number') return source ?? String(value)
  return typeof value === 'boolean' ? String(value) : value
}

/** Sends the parts of a run, and makes them visible by one request at the end. */
export const storeDestination = (mutation?: StoreMutation) => {
  const send = async (
    { url, token }: z.output<typeof config>,
    method: string,
    path: string,
    { body, signal }: { body?: string; signal?: AbortSignal } = {},
  ): Promise<number> => {
    const said = mutation === 'secret-in-error' ? ` with ${token.reveal()}` : ''
    let status = 0
    try {
      const answer = await fetch(`${url}/${encodeURI(path)}`, {
        method,
        headers: { authorization: `Bearer ${token.reveal()}` },
        ...(body !== undefined && { body }),
        ...(signal && { signal }),
      })
      status = answer.status
      // An answer that is cut off is none.
      if (status < 400) await answer.json()
    } catch (cause) {
      signal?.throwIfAborted()
      const isReset = String((cause as Error).cause).includes('ECONNRESET')
      throw new ConnectorError('network', `The store broke off${said}.`, {
        hint: 'Run it again.',
        cause,
        ...(status > 0 && !isReset && { code: 'Cut' }),
      })
    }
    if (mutation === 'unavailable-is-done' && status === 503) return 200
    if (status < 400 || status === 404) return status
    const kind = kinds[status] ?? 'network'
    throw new ConnectorError(kind, `The store answers ${status}${said}.`, {
      hint: 'Check the token, or run it again.',
    })
  }
  const config = z.strictObject({
    url: z.url().describe('URL of the store'),
    token: secret().describe('Token'),
  })

  return defineDestination({
    name: 'destination-store',
    config,
    capabilities: { modes: ['append'], fileTypes: ['ndjson'] },
    policy: () => ({ policy: { may: ['GET', 'PUT', 'POST', 'DELETE'] } }),
    check: async ({ config, signal }) => void (await send(config, 'GET', '', { signal })),
    async write({ config, signal, notice }, { run, streams }) {
      const { commitId } = run
      if (mutation === 'secret-in-notice') notice(`Writing with ${config.token.reveal()}`)
      const request = (method: string, path: string, body?: string) =>
        send(config, method, path, { signal, ...(body !== undefined && { body }) })
      if (mutation === 'asks-for-more-than-its-policy') await request('PATCH', '')
      if (mutation === 'cut-is-done') {
        const asked = await request('PUT', `asked/${commitId}`, '').catch((error: unknown) => error)
        if (ConnectorError.isInstance(asked) && asked.code === 'Cut')
          return { files: [], alreadyWritten: true }
        if (typeof asked !== 'number') throw asked
      }
      if (mutation === 'marks-first') {
        if ((await request('GET', `marks/${commitId}`)) === 200) return { files: [], alreadyWritten: true }
        await request('PUT', `marks/${commitId}`, '')
      }
      const files: WrittenFile[] = []
      try {
        await request('DELETE', `parts/${commitId}/`)
        for (const stream of streams)
          for await (const file of stream.files({ format: { type: 'ndjson', compression: 'none' } })) {
            const name = `${commitId}/${encodeURIComponent(stream.name)}/${file.part}`
            await request('PUT', `parts/${name}`, await readFile(file.path, 'utf8'))
            files.push({ stream: stream.name, name, rows: file.rows, size: file.size })
            if (mutation === 'publishes-each-file') await request('POST', name)
            await file.release()
          }
        await request('POST', `${commitId}/`)
        return { files }
      } catch (error) {
        // Where the store is still there, nothing of the run stays.
        const undo = ['parts', ...(mutation ? ['marks', 'shown'] : [])]
        if (signal.aborted || !ConnectorError.isInstance(error))
          for (const kind of undo) await send(config, 'DELETE', `${kind}/${commitId}`).catch(() => {})
        throw error
      }
    },
  })
}
