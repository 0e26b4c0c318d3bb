// biome-ignore-all lint/suspicious/noTemplateCurlyInString: that is how references are written
import { createHmac } from 'node:crypto'
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { PipelineRun } from '../pipeline/record.ts'
import { alertEntry } from './alert-schema.ts'
import { runAlerts } from './alerts.ts'

const secret = 'whsec-0123456789'

interface Posted {
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: string
}

/** A receiver that answers with these codes, the last of them for ever. */
const receiver = async (...codes: number[]) => {
  const posted: Posted[] = []
  const server = createServer((request, response) => {
    let body = ''
    request.setEncoding('utf8').on('data', (text: string) => {
      body += text
    })
    request.on('end', () => {
      posted.push({ headers: request.headers, body })
      const code = codes[Math.min(posted.length, codes.length) - 1] ?? 200
      response.writeHead(code, code === 302 ? { location: 'http://127.0.0.1:9/' } : {}).end('thanks')
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return { posted, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hooks/T123-secret-path` }
}

const run: PipelineRun = {
  runId: 'r1',
  pipeline: 'daily',
  status: 'failed',
  scheduledTime: '2026-01-01T05:00:00.000Z',
  startedAt: '2026-01-01T05:00:01.000Z',
  finishedAt: '2026-01-01T05:01:01.000Z',
  attempts: 1,
  steps: [
    {
      id: 'load',
      kind: 'extract',
      status: 'succeeded',
      tries: 1,
      rows: 980,
      rowsLost: 20,
      output: { rows: ['Jane Doe'] },
    },
    {
      id: 'sums',
      kind: 'sql',
      status: 'failed',
      tries: 2,
      error: { kind: 'data', message: 'Jane Doe is no number.' },
    },
  ],
  error: {
    kind: 'data',
    code: 'QueryFailed',
    message: 'Jane Doe is no number.',
    place: { object: 's3://lake/a.csv', line: 3, value: 'Jane Doe' },
  },
}
const good: PipelineRun = {
  ...run,
  status: 'succeeded',
  steps: run.steps.slice(0, 1).map((step) => ({ ...step, rowsLost: 0 })),
}

const tell = async (input: unknown, runs: readonly PipelineRun[], now = '2026-01-01T05:00:01Z') => {
  const folder = await mkdtemp(join(tmpdir(), 'penstock-alerts-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  const notices: string[] = []
  const secrets: string[] = []
  const alerts = runAlerts({
    alerts: [alertEntry.parse(input)],
    folder,
    env: { SECRET: secret, HOOK: String((input as { hook?: string }).hook) },
    clock: () => new Date(now),
    redact: (value) => value,
    addSecrets: (added) => void secrets.push(...added),
    notice: (message) => void notices.push(message),
  })
  for (const each of runs) {
    alerts.changed(each)
    if (each.status === 'running') alerts.started(each)
    else alerts.finished(each)
  }
  return { deliveries: await alerts.settle(), notices, secrets, folder }
}

describe('a webhook', () => {
  it('gets the event as Slack shows it, signed, without values of rows', async () => {
    const { url, posted } = await receiver(200)
    const { deliveries, secrets } = await tell(
      { on: ['failure'], webhook: { url, secret: '${env:SECRET}' } },
      [run],
    )
    expect(deliveries).toEqual([{ event: 'failure', to: new URL(url).origin, status: 'sent', tries: 1 }])
    const [{ headers, body } = { headers: {}, body: '' }] = posted
    expect(JSON.parse(body)).toMatchObject({
      text: 'daily: failed in step sums: an error of the kind data',
      event: 'failure',
      pipeline: 'daily',
      runId: 'r1',
      status: 'failed',
      durationMs: 60_000,
      rows: 980,
      rowsLost: 20,
      error: { kind: 'data', code: 'QueryFailed', place: { object: 's3://lake/a.csv', line: 3 } },
    })
    expect(body).not.toContain('Jane')
    expect(body).not.toContain(secret)
    const time = String(headers['x-penstock-timestamp'])
    const expected = createHmac('sha256', secret).update(`${time}.${body}`).digest('hex')
    expect(headers['x-penstock-signature']).toBe(`sha256=${expected}`)
    expect(Math.abs(Number(time) * 1000 - Date.now())).toBeLessThan(60_000)
    expect(secrets).toEqual([secret, '/hooks/T123-secret-path'])
  })

  it('does not repeat the SQL of a step, in which a value may stand', async () => {
    const { url, posted } = await receiver(200)
    const error = { kind: 'config', code: 'InvalidSql', message: "Parser Error at 'Jane Doe'" } as const
    await tell({ on: ['failure'], webhook: { url } }, [{ ...run, error }])
    expect(posted[0]?.body).toContain('in step sums: an error of the kind config')
    expect(posted[0]?.body).not.toContain('Jane')
    const missing = { kind: 'not-found', message: 'There is no bucket x.' } as const
    const load = { id: 'load', kind: 'extract', status: 'failed', tries: 1 } as const
    await tell({ on: ['failure'], webhook: { url } }, [{ ...run, steps: [load], error: missing }])
    expect(posted[1]?.body).toContain('failed in step load: There is no bucket x.')
  })

  it('is tried again, as the same delivery, while the other side fails', async () => {
    const { url, posted } = await receiver(503, 200)
    const { deliveries } = await tell({ on: ['failure'], webhook: { url } }, [run])
    expect(deliveries).toMatchObject([{ status: 'sent', tries: 2 }])
    expect(new Set(posted.map(({ headers }) => headers['x-penstock-delivery'])).size).toBe(1)
    expect(posted[0]?.headers['x-penstock-signature']).toBeUndefined()
  })

  it.each([
    [404, 'answered 404'],
    [302, 'answered 302'],
  ])('that answers %i is reported and not tried again', async (code, message) => {
    const { url, posted } = await receiver(code)
    const { deliveries, notices } = await tell({ on: ['failure'], webhook: { url } }, [run])
    expect(deliveries).toMatchObject([{ status: 'failed', error: expect.stringContaining(message) }])
    expect(notices).toEqual([expect.stringContaining(message)])
    expect(JSON.stringify(deliveries) + notices).not.toContain('T123')
    expect(posted).toHaveLength(1)
  })

  it('that does not come back within its time is given up', async () => {
    const { url, posted } = await receiver(500)
    const { deliveries } = await tell({ on: ['failure'], timeout: '700ms', webhook: { url } }, [run])
    expect(deliveries).toMatchObject([{ status: 'failed', error: expect.stringContaining('answered 500') }])
    expect(posted.length).toBeGreaterThan(1)
  })

  it.each([
    ['http://example.com/x', 'needs https'],
    ['ftp://127.0.0.1/x', 'needs https'],
    ['no url', 'is none'],
    ['${env:MISSING}', 'MISSING is not set'],
  ])('to %s is refused', async (url, message) => {
    const { deliveries } = await tell({ on: ['failure'], webhook: { url } }, [run])
    expect(deliveries).toMatchObject([{ status: 'failed', error: expect.stringContaining(message) }])
  })
})

describe('a command', () => {
  const script = async (text: string) => {
    const folder = await mkdtemp(join(tmpdir(), 'penstock-hook-'))
    onTestFinished(() => rm(folder, { recursive: true, force: true }))
    const path = join(folder, 'hook.sh')
    await writeFile(path, `#!/bin/sh\n${text}\n`)
    await chmod(path, 0o755)
    return { path, out: join(folder, 'out') }
  }

  it('gets the event on stdin and its facts in the environment, and no shell reads its arguments', async () => {
    const { path, out } = await script('{ cat; echo "$PENSTOCK_EVENT $PENSTOCK_STATUS $1"; } > "$2"')
    const { deliveries } = await tell({ on: ['failure'], command: [path, '$(id); `id`', out] }, [run])
    expect(deliveries).toEqual([{ event: 'failure', to: path, status: 'sent' }])
    const [json = '', facts] = (await readFile(out, 'utf8')).split('\n')
    expect(JSON.parse(json)).toMatchObject({ event: 'failure', runId: 'r1' })
    expect(facts).toBe('failure failed $(id); `id`')
  })

  it.each([
    ['exit 3', 'exit code 3'],
    ['exec sleep 60', 'took too long'],
  ])('%s is reported', async (text, message) => {
    const { path } = await script(text)
    const { deliveries } = await tell({ on: ['failure'], command: [path], timeout: '300ms' }, [run])
    expect(deliveries).toMatchObject([{ status: 'failed', error: expect.stringContaining(message) }])
  })

  it('that is not there is reported', async () => {
    const { deliveries } = await tell({ on: ['failure'], command: ['/nowhere/hook'] }, [run])
    expect(deliveries).toMatchObject([{ status: 'failed', error: expect.stringContaining('ENOENT') }])
  })
})

describe('events', () => {
  const events = async (input: object, runs: readonly PipelineRun[], now?: string) => {
    const { url, posted } = await receiver(200)
    await tell(
      { on: ['start', 'success', 'failure', 'delay', 'rows'], ...input, webhook: { url } },
      runs,
      now,
    )
    return posted.map(({ body }) => JSON.parse(body).text as string).sort()
  }
  const running: PipelineRun = { ...good, status: 'running' }

  it('tell start and end', async () => {
    expect(await events({}, [running, good])).toEqual(['daily: started', 'daily: succeeded'])
    expect(await events({}, [{ ...running, attempts: 2 }])).toEqual([
      'daily: goes on after an interruption (try 2)',
    ])
  })

  it('tell rows that are lost, over a threshold', async () => {
    expect(await events({}, [run])).toContain('daily: 20 rows (2.0 %) were rejected or skipped')
    expect(await events({ rows: '2%' }, [run])).toHaveLength(1)
  })

  it('tell a run that began late or takes long', async () => {
    const late = { ...running, startedAt: '2026-01-01T05:20:00Z' }
    expect(await events({}, [late], '2026-01-01T05:20:00Z')).toEqual([
      'daily: started',
      'daily: started 20 min after it was due',
    ])
    const folder = await mkdtemp(join(tmpdir(), 'penstock-alerts-'))
    onTestFinished(() => rm(folder, { recursive: true, force: true }))
    const { url, posted } = await receiver(200)
    const alerts = runAlerts({
      alerts: [alertEntry.parse({ on: ['delay'], delay: '10ms', webhook: { url } })],
      folder,
      env: {},
      clock: () => new Date(running.startedAt),
      redact: (value) => value,
      addSecrets: () => {},
      notice: () => {},
    })
    alerts.started(running)
    while (posted.length === 0) await new Promise((resolve) => setTimeout(resolve, 5))
    alerts.finished(good)
    expect(await alerts.settle()).toMatchObject([{ event: 'delay', status: 'sent' }])
  })
})

it.each([
  [{}, 'either webhook or command'],
  [{ webhook: { url: 'https://example.com', secret: 'plain' } }, 'is a secret'],
  [{ command: ['x'], rows: '200%' }, 'percentage'],
  [{ command: ['x'], on: ['sucess'] }, 'Invalid option'],
])('the entry %j is refused', (input, message) => {
  expect(alertEntry.safeParse(input).error?.issues[0]?.message).toContain(message)
})
