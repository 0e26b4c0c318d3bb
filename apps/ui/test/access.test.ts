import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { cookieOf, send, startTestUi, type TestUi } from './server.ts'

let test: TestUi
let cookie: string

beforeAll(async () => {
  test = await startTestUi()
  cookie = cookieOf(await send(test.ui.url, 'GET', {}))
})
afterAll(() => test.close())

const host = () => new URL(test.ui.origin).host
const at = (path: string) => test.ui.origin + path

describe('who gets in', () => {
  it('exchanges the token for a cookie that neither scripts nor other sites have', async () => {
    const { status, headers } = await send(test.ui.url, 'GET', {})
    expect(status).toBe(303)
    expect(headers.location).toBe('/')
    expect(headers['set-cookie']).toEqual([expect.stringMatching(/; Path=\/; HttpOnly; SameSite=Strict$/)])
    expect(String(headers['set-cookie'])).not.toContain(new URL(test.ui.url).searchParams.get('token'))
  })

  it.each(['/', '/web/style.css', '/lib/preact.js', '/api/project', '/nowhere'])(
    'gives nothing of %s without the cookie',
    async (path) => {
      const { status, text } = await send(at(path), 'GET', {})
      expect(status).toBe(401)
      expect(text).toContain('needs its token')
    },
  )

  it.each([
    ['a wrong token', () => at('/?token=AAAA'), {}],
    ['an empty token', () => at('/?token='), {}],
    ['a token where it is not exchanged', () => `${at('/api/project')}${new URL(test.ui.url).search}`, {}],
    ['a wrong cookie', () => at('/api/project'), { cookie: 'penstock-ui=x' }],
  ])('refuses %s', async (_, url, headers) => {
    expect((await send(url(), 'GET', headers)).status).toBe(401)
  })

  it('lets an address for the command line of the browser in once', async () => {
    const url = test.ui.openUrl()
    expect((await send(url, 'GET', {})).status).toBe(303)
    expect((await send(url, 'GET', {})).status).toBe(401)
  })
})

describe('requests that a browser sends for somebody else', () => {
  it.each([
    ['a foreign host (DNS rebinding)', 'GET', () => ({ host: 'evil.example' })],
    [
      'the right port of a foreign host',
      'GET',
      () => ({ host: `evil.example:${new URL(test.ui.origin).port}` }),
    ],
    ['another port', 'GET', () => ({ host: '127.0.0.1:1' })],
    ['reading from another origin', 'GET', () => ({ origin: 'http://evil.example' })],
    ['reading from another port', 'GET', () => ({ origin: 'http://127.0.0.1:1' })],
    ['writing from another origin', 'DELETE', () => ({ origin: 'http://evil.example' })],
    ['writing from nowhere', 'DELETE', () => ({})],
    ['writing from a sandboxed page', 'DELETE', () => ({ origin: 'null' })],
    ['writing across sites', 'DELETE', () => ({ origin: test.ui.origin, 'sec-fetch-site': 'cross-site' })],
  ])('are refused: %s', async (_, method, headers) => {
    const path = method === 'GET' ? '/api/project' : '/api/connections/lake'
    expect((await send(at(path), method, { cookie, ...headers() })).status).toBe(403)
  })

  it('pass by the name localhost, too', async () => {
    const name = host().replace('127.0.0.1', 'localhost')
    expect((await send(at('/api/project'), 'GET', { cookie, host: name })).status).toBe(200)
  })
})

describe('what is served', () => {
  it('is a page that runs its own scripts alone, and is never kept', async () => {
    const { status, headers, text } = await send(at('/'), 'GET', { cookie })
    expect(status).toBe(200)
    const policy = String(headers['content-security-policy'])
    expect(policy).toContain("default-src 'none'")
    expect(policy).toMatch(/script-src 'self' 'sha256-[\w+/=]+';/)
    expect(policy).not.toContain('unsafe')
    expect(policy).toContain("frame-ancestors 'none'")
    expect(headers['x-content-type-options']).toBe('nosniff')
    expect(headers['cache-control']).toBe('no-store')
    expect(text).not.toMatch(/(src|href)="(https?:)?\/\//)
  })

  it('has every module that a module imports, without types', async () => {
    const seen = new Set<string>()
    const load = async (path: string): Promise<void> => {
      if (seen.has(path)) return
      seen.add(path)
      const { status, headers, text } = await send(at(path), 'GET', { cookie })
      expect(status, path).toBe(200)
      expect(headers['content-type'], path).toContain('text/javascript')
      expect(text, path).not.toMatch(/^import type|^interface /m)
      for (const [, name = ''] of text.matchAll(/from '(\.\/[^']+)'/g))
        await load(name.replace('./', '/web/'))
    }
    await load('/web/main.ts')
    await load('/lib/preact.js')
    await load('/lib/hooks.js')
    expect(seen.size).toBeGreaterThan(15)
  })

  it.each([
    '/web/../src/index.ts',
    '/web/%2e%2e/package.json',
    '/web/tsconfig.json',
    '/lib/constructor',
    '/.env',
  ])('is nothing else: %s', async (path) => {
    // As a raw path: a URL would have been cleaned up before it is sent.
    const { status } = await send(`${test.ui.origin}${path}`, 'GET', { cookie })
    expect(status).toBe(404)
  })

  it.each([
    ['PUT', '/api/connections/x', 422, 'no JSON', 'text/plain', '{}'],
    ['PUT', '/api/connections/x', 422, 'broken JSON', 'application/json', '{'],
    ['PUT', '/api/connections/x', 422, 'a list', 'application/json', '[]'],
    ['PUT', '/api/connections/x', 422, 'too much', 'application/json', ' '.repeat(1_100_000)],
    ['POST', '/api/nothing', 404, 'an unknown path', 'application/json', '{}'],
    ['POST', '/', 405, 'a post to the page', 'application/json', '{}'],
  ])('answers %s %s with %i for %s', async (method, path, status, _, type, body) => {
    const headers = { cookie, origin: test.ui.origin, 'content-type': type, body }
    expect((await send(at(path), method, headers)).status).toBe(status)
  })
})
