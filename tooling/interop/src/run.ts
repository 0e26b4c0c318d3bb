import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer, connect as openSocket } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'

export interface RunOptions {
  readonly environment?: Readonly<Record<string, string>>
  readonly input?: Buffer | string
  readonly folder?: string
  /** Exit codes that are no failure (default: 0). */
  readonly accept?: readonly number[]
}

export interface Outcome {
  readonly code: number
  readonly output: Buffer
  readonly errors: string
}

/** Runs a program to its end. Throws an Error that quotes it when it fails. */
export const run = async (
  program: string,
  args: readonly string[],
  { environment = {}, input, folder, accept = [0] }: RunOptions = {},
): Promise<Outcome> => {
  const child = spawn(program, args, {
    env: { ...baseEnvironment(), ...environment },
    stdio: ['pipe', 'pipe', 'pipe'],
    ...(folder !== undefined && { cwd: folder }),
  })
  const output: Buffer[] = []
  const errors: Buffer[] = []
  child.stdout.on('data', (chunk: Buffer) => output.push(chunk))
  child.stderr.on('data', (chunk: Buffer) => errors.push(chunk))
  // A program may well end before it has read everything.
  child.stdin.on('error', () => {})
  child.stdin.end(input)
  const [code] = (await once(child, 'close')) as [number | null]
  const outcome = {
    code: code ?? -1,
    output: Buffer.concat(output),
    errors: Buffer.concat(errors).toString(),
  }
  if (!accept.includes(outcome.code))
    throw new Error(
      `${program} ${args.join(' ')} ended with ${outcome.code}\n${outcome.errors}\n${outcome.output.toString().slice(-4000)}`,
    )
  return outcome
}

/** The environment without what would lead a client elsewhere: credentials, profiles, regions, proxies. */
const baseEnvironment = (): Record<string, string> => {
  const kept = Object.entries(process.env).filter(
    ([name]) => !/^(AWS_|S3_|MC_|RCLONE_|RESTIC_)|_proxy$/i.test(name),
  )
  return {
    ...Object.fromEntries(kept.map(([name, value]) => [name, value ?? ''])),
    NO_COLOR: '1',
    LC_ALL: 'C.UTF-8',
  }
}

export interface Service {
  readonly process: ChildProcess
  /** The last of what it printed, for messages. */
  readonly printed: () => string
  stop(): Promise<void>
}

/** Starts a program that stays. `stop` ends it and waits for that. */
export const startService = (program: string, args: readonly string[], options: RunOptions = {}): Service => {
  const child = spawn(program, args, {
    env: { ...baseEnvironment(), ...options.environment },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(options.folder !== undefined && { cwd: options.folder }),
  })
  let printed = ''
  const keep = (chunk: Buffer) => {
    printed = (printed + chunk.toString()).slice(-8192)
  }
  child.stdout.on('data', keep)
  child.stderr.on('data', keep)
  child.on('error', (error) => keep(Buffer.from(error.message)))
  const gone = () => child.pid === undefined || child.exitCode !== null || child.signalCode !== null
  // Ended along with this process, whatever ends it.
  const kill = () => child.kill('SIGKILL')
  process.once('exit', kill)
  return {
    process: child,
    printed: () => printed,
    async stop() {
      process.off('exit', kill)
      if (gone()) return
      const closed = once(child, 'close')
      child.kill('SIGTERM')
      const timer = setTimeout(kill, 5000)
      await closed
      clearTimeout(timer)
    },
  }
}

/** Waits until something listens on a port of loopback; throws what the service printed when it does not. */
export const listening = async (port: number, service: Service, timeoutMs = 60_000): Promise<void> => {
  for (const end = Date.now() + timeoutMs; Date.now() < end; await wait(100)) {
    if (service.process.exitCode !== null) break
    if (await accepts(port)) return
  }
  throw new Error(`nothing listens on port ${port}: ${service.printed()}`)
}

const accepts = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = openSocket({ port, host: '127.0.0.1' })
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
    socket.once('connect', () => socket.destroy())
  })

/** Free ports of loopback, all different. */
export const freePorts = async (count: number): Promise<number[]> => {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer().listen(0, '127.0.0.1')
      await once(server, 'listening')
      return server
    }),
  )
  const ports = servers.map((server) => {
    const address = server.address()
    if (typeof address !== 'object' || address === null) throw new Error('A listening server has no port')
    return address.port
  })
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
  return ports
}
