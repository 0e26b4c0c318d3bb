import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { ConnectorError } from '@penstock/core'
import type { AlertMessage } from './message.ts'

export interface CommandRequest {
  /** Program and its arguments. A relative program starts from `folder`. */
  readonly command: readonly string[]
  readonly folder: string
  readonly message: AlertMessage
  /** Aborted when the time is over: the process is ended. */
  readonly signal: AbortSignal
}

/** Ms between asking a process to end and ending it. */
const patience = 2_000

/**
 * Runs a command with the event as JSON on its stdin and its facts in the environment. No shell is involved. What it
 * prints is not read: it could hold anything. An exit code other than 0, and a command that can't be started, throw.
 */
export const runAlertCommand = async ({
  command,
  folder,
  message,
  signal,
}: CommandRequest): Promise<void> => {
  const [program = '', ...argv] = command
  const child = spawn(program, argv, {
    cwd: folder,
    env: { ...process.env, ...environmentOf(message) },
    stdio: ['pipe', 'ignore', 'ignore'],
    // A group of its own, so that what the command has started ends with it.
    detached: true,
  })
  const end = (name: NodeJS.Signals) => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, name)
    } catch {
      // It has ended by itself.
    }
  }
  let forced: NodeJS.Timeout | undefined
  const stop = () => {
    end('SIGTERM')
    forced = setTimeout(() => end('SIGKILL'), patience)
  }
  try {
    const closed = once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>
    signal.addEventListener('abort', stop, { once: true })
    // A command that does not read its input is no failure.
    child.stdin.on('error', () => {})
    child.stdin.end(`${JSON.stringify(message)}\n`)
    const [code, by] = await closed
    if (signal.aborted)
      throw new ConnectorError('resource', `${program} took too long and was ended.`, {
        code: 'CommandTimeout',
      })
    if (code !== 0)
      throw new ConnectorError('config', `${program} ended with ${by ?? `exit code ${code}`}.`, {
        code: 'CommandFailed',
      })
  } catch (error) {
    if (ConnectorError.isInstance(error)) throw error
    const code = (error as NodeJS.ErrnoException).code ?? 'error'
    throw new ConnectorError('config', `${program} can't be started (${code}).`, { code: 'CommandFailed' })
  } finally {
    signal.removeEventListener('abort', stop)
    clearTimeout(forced)
  }
}

const environmentOf = (message: AlertMessage): Record<string, string> => ({
  PENSTOCK_EVENT: message.event,
  PENSTOCK_TEXT: message.text,
  PENSTOCK_PIPELINE: message.pipeline,
  PENSTOCK_RUN_ID: message.runId,
  PENSTOCK_STATUS: message.status,
  ...(message.scheduledTime === undefined ? {} : { PENSTOCK_SCHEDULED_TIME: message.scheduledTime }),
})
