import { randomUUID } from 'node:crypto'
import { ConnectorError, toConnectorError } from '@penstock/core'
import type { PipelineRun } from '../pipeline/record.ts'
import { type ResolveOptions, resolveText } from '../project/references.ts'
import type { Alert, AlertEvent } from './alert-schema.ts'
import { runAlertCommand } from './command.ts'
import { alertMessage, failureReason } from './message.ts'
import { postWebhook, webhookUrl } from './webhook.ts'

/** What became of one alert. */
export interface AlertDelivery {
  readonly event: AlertEvent
  /** The origin of the webhook's URL, or the program. */
  readonly to: string
  readonly status: 'sent' | 'failed'
  readonly tries?: number
  readonly error?: string
}

export interface AlertsOptions {
  readonly alerts: readonly Alert[]
  /** Folder of the project. */
  readonly folder: string
  readonly env: ResolveOptions['env']
  readonly clock: () => Date
  /** Hides secrets. */
  readonly redact: (value: unknown) => unknown
  /** Told of secrets that were resolved, before they are used. */
  readonly addSecrets: (secrets: readonly string[]) => void
  /** Told of alerts that failed: that never fails a run. */
  readonly notice: (message: string) => void
}

/** The alerts of one run. */
export interface RunAlerts {
  started(run: PipelineRun): void
  /** The run as it is now, for an alert that comes while it runs. */
  changed(run: PipelineRun): void
  finished(run: PipelineRun): void
  /** Waits for what is under way, and gives what became of all. */
  settle(): Promise<readonly AlertDelivery[]>
}

/** Tells about one run what the alerts ask for. Nothing here throws, and nothing holds the run up. */
export const runAlerts = (options: AlertsOptions): RunAlerts => {
  const deliveries: Promise<AlertDelivery>[] = []
  const timers: NodeJS.Timeout[] = []
  let latest: PipelineRun | undefined
  const tell = (alert: Alert, event: AlertEvent, run: PipelineRun, reason: string) => {
    if (alert.on.includes(event)) deliveries.push(deliver(options, alert, event, run, reason))
  }
  return Object.freeze({
    changed: (run: PipelineRun) => {
      latest = run
    },
    started: (run: PipelineRun) => {
      const again = run.attempts > 1 ? `goes on after an interruption (try ${run.attempts})` : 'started'
      for (const alert of options.alerts) {
        tell(alert, 'start', run, again)
        const late = lateness(run)
        if (late > alert.late) tell(alert, 'delay', run, `started ${minutesText(late)} after it was due`)
        const spent = options.clock().getTime() - Date.parse(run.startedAt)
        const delayed = () =>
          tell(alert, 'delay', latest ?? run, `has been running for more than ${minutesText(alert.delay)}`)
        // Timers count to 2^31 ms; nobody waits for longer.
        timers.push(setTimeout(delayed, Math.min(Math.max(0, alert.delay - spent), 2 ** 31 - 1)).unref())
      }
    },
    finished: (run: PipelineRun) => {
      for (const timer of timers) clearTimeout(timer)
      for (const alert of options.alerts) {
        if (run.status === 'succeeded') tell(alert, 'success', run, 'succeeded')
        if (run.status === 'failed') tell(alert, 'failure', run, failureReason(run))
        const lost = lossOf(run)
        if (lost.share > alert.rows)
          tell(
            alert,
            'rows',
            run,
            `${lost.rows} rows (${(lost.share * 100).toFixed(1)} %) were rejected or skipped`,
          )
      }
    },
    settle: () => Promise.all(deliveries),
  })
}

const minutesText = (milliseconds: number): string =>
  milliseconds < 60_000 ? `${Math.round(milliseconds / 1000)} s` : `${Math.round(milliseconds / 60_000)} min`

const lateness = ({ scheduledTime, startedAt, attempts }: PipelineRun): number =>
  scheduledTime === undefined || attempts > 1 ? 0 : Date.parse(startedAt) - Date.parse(scheduledTime)

/** The step that lost the largest share of its rows decides: a large table must not hide a small one. */
const lossOf = (run: PipelineRun): { rows: number; share: number } => {
  const losses = run.steps.map(({ rows = 0, rowsLost = 0 }) => ({
    rows: rowsLost,
    share: rowsLost === 0 ? 0 : rowsLost / (rows + rowsLost),
  }))
  return losses.reduce((most, loss) => (loss.share > most.share ? loss : most), { rows: 0, share: 0 })
}

const deliver = async (
  options: AlertsOptions,
  alert: Alert,
  event: AlertEvent,
  run: PipelineRun,
  reason: string,
): Promise<AlertDelivery> => {
  let to = alert.command?.[0] ?? 'webhook'
  try {
    const message = options.redact(
      alertMessage(event, run, { folder: options.folder, reason }),
    ) as ReturnType<typeof alertMessage>
    const signal = AbortSignal.timeout(alert.timeout)
    if (alert.command) {
      const command = await Promise.all(alert.command.map((part) => resolve(options, part, 'command')))
      await runAlertCommand({ command, folder: options.folder, message, signal })
      return { event, to, status: 'sent' }
    }
    const { url, secret } = await resolveWebhook(options, alert)
    to = webhookUrl(url).origin
    const body = JSON.stringify(message)
    const tries = await postWebhook({ url, secret, body, id: randomUUID(), event, signal })
    return { event, to, status: 'sent', tries }
  } catch (thrown) {
    const error = String(options.redact(toConnectorError(thrown).message))
    options.notice(`The alert "${event}" to ${to} failed: ${error}`)
    return { event, to, status: 'failed', error }
  }
}

const resolve = (options: AlertsOptions, text: string, field: string): Promise<string> =>
  resolveText(text, `${field} of an alert`, { env: options.env, folder: options.folder })

const resolveWebhook = async (
  options: AlertsOptions,
  { webhook }: Alert,
): Promise<{ url: string; secret: string | undefined }> => {
  if (!webhook) throw new ConnectorError('internal', 'An alert without webhook and command.')
  const secret =
    webhook.secret === undefined ? undefined : await resolve(options, webhook.secret, 'webhook.secret')
  const url = await resolve(options, webhook.url, 'webhook.url')
  // Who knows the path of such a URL may post there.
  const { pathname, search } = webhookUrl(url)
  options.addSecrets([
    ...(secret === undefined ? [] : [secret]),
    ...(`${pathname}${search}`.length > 8 ? [`${pathname}${search}`] : []),
  ])
  return { url, secret }
}
