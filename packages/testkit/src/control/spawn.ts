import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { connectAwsControl } from './client.ts'
import type { AwsControl } from './protocol.ts'

export interface SpawnOptions {
  port?: number
  /** Folder that objects are kept in; memory when absent. */
  data?: string
  account?: string
  region?: string
  latencyMs?: number
  trustSourceIpHeader?: boolean
  /** Path of a seed file. */
  seed?: string
  rootAccessKeyId?: string
  rootSecretAccessKey?: string
  /** Further arguments for Node itself, for example `--cpu-prof`. */
  nodeArguments?: string[]
  /** Ms to wait for readiness; 30,000 when absent. */
  timeoutMs?: number
}

export interface SpawnedAws {
  endpoint: string
  port: number
  account: string
  root: { accessKeyId: string; secretAccessKey: string }
  controlToken: string
  control: AwsControl
  pid: number
  /** Ends the process and waits for that. */
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

/** Lines of the process's error output that a failed start quotes. */
const quotedBytes = 8192

/**
 * Starts the embedded AWS in a process of its own and waits until it is ready: for benchmarks, which must not share
 * the event loop of what they measure. It ends with `close`, with `await using`, and with this process.
 */
export async function spawnAws(options: SpawnOptions = {}): Promise<SpawnedAws> {
  const controlToken = randomBytes(24).toString('hex')
  const child = spawn(process.execPath, [...(options.nodeArguments ?? []), ...commandLine(options)], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: {
      ...process.env,
      PENSTOCK_AWS_CONTROL_TOKEN: controlToken,
      ...(options.rootAccessKeyId !== undefined && { PENSTOCK_AWS_ACCESS_KEY_ID: options.rootAccessKeyId }),
      ...(options.rootSecretAccessKey !== undefined && {
        PENSTOCK_AWS_SECRET_ACCESS_KEY: options.rootSecretAccessKey,
      }),
    },
  })
  const close = async () => {
    // Without a pid it never started.
    if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return
    const ended = once(child, 'exit')
    child.kill('SIGTERM')
    await ended
  }
  try {
    const ready = await readiness(child, options.timeoutMs ?? 30_000)
    const { endpoint, port, account, accessKeyId, secretAccessKey } = ready
    return {
      endpoint,
      port,
      account,
      root: { accessKeyId, secretAccessKey },
      controlToken,
      control: connectAwsControl({ endpoint, token: controlToken }),
      pid: child.pid ?? 0,
      close,
      [Symbol.asyncDispose]: close,
    }
  } catch (error) {
    await close()
    throw error
  }
}

/** The sources run by Node's type stripping; the built package runs as it is. */
function commandLine(options: SpawnOptions): string[] {
  const source = import.meta.url.endsWith('.ts')
  const main = fileURLToPath(new URL(source ? '../main.ts' : '../main.js', import.meta.url))
  const flags: [string, string | number | undefined][] = [
    ['--port', options.port],
    ['--data', options.data],
    ['--seed', options.seed],
    ['--account', options.account],
    ['--region', options.region],
    ['--latency', options.latencyMs],
  ]
  return [
    ...(source ? ['--conditions=penstock:source'] : []),
    main,
    '--exit-with-stdin',
    ...(options.trustSourceIpHeader ? ['--trust-source-ip-header'] : []),
    ...flags.flatMap(([flag, value]) => (value === undefined ? [] : [flag, String(value)])),
  ]
}

/** The line that the process prints when it listens. */
export interface ReadyLine {
  endpoint: string
  port: number
  account: string
  accessKeyId: string
  secretAccessKey: string
  controlToken: string
}

function readiness(child: ChildProcess, timeoutMs: number): Promise<ReadyLine> {
  let errors = ''
  child.stderr?.on('data', (chunk) => {
    errors = (errors + String(chunk)).slice(-quotedBytes)
  })
  return new Promise((resolve, reject) => {
    const fail = (what: string) => {
      clearTimeout(timer)
      reject(new Error(`The embedded AWS ${what}${errors && `:\n${errors.trim()}`}`))
    }
    const timer = setTimeout(() => fail(`was not ready within ${timeoutMs} ms`), timeoutMs)
    child.once('error', (error) => fail(`did not start: ${error.message}`))
    // 'close' comes after all output was read, 'exit' may come before.
    child.once('close', (code) => fail(`ended with exit code ${code} before it was ready`))
    if (!child.stdout) return fail('has no output')
    createInterface({ input: child.stdout }).once('line', (line) => {
      clearTimeout(timer)
      const parsed: ReadyLine = JSON.parse(line)
      resolve(parsed)
    })
  })
}
