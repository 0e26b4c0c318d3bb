import { spawn } from 'node:child_process'
import { ConnectorError, type ErrorKind } from '@penstock/core'

/** Codes of npm's errors that say what happened; all others are `config`. */
const kindOfCode: Readonly<Record<string, ErrorKind>> = {
  E404: 'not-found',
  ENOENT: 'not-found',
  ENOVERSIONS: 'not-found',
  ETARGET: 'not-found',
  E401: 'auth',
  E403: 'permission',
  EACCES: 'permission',
  EPERM: 'permission',
  ENOSPC: 'resource',
  ECONNREFUSED: 'network',
  ECONNRESET: 'network',
  ENETUNREACH: 'network',
  ENOTCACHED: 'network',
  ENOTFOUND: 'network',
  EAI_AGAIN: 'network',
  ERR_SOCKET_TIMEOUT: 'network',
  ETIMEDOUT: 'network',
}

const hintOfKind: Partial<Readonly<Record<ErrorKind, string>>> = {
  'not-found': 'Check the name and the version. A file or a folder is given by its path.',
  auth: 'Sign in to the registry: npm login.',
  network:
    'The registry that npm is set up with is out of reach: check the network and npm config get registry.',
  resource: 'Make room on the disk.',
}

/** Runs npm in a folder. Throws a ConnectorError that says what npm said. */
export const npm = async (
  args: readonly string[],
  { folder, signal }: { readonly folder: string; readonly signal: AbortSignal },
): Promise<void> => {
  // Who is offline should not wait for minutes to be told so.
  const retries = ['--fetch-retries=1', '--fetch-retry-mintimeout=1000']
  const options = [
    ...retries,
    '--no-audit',
    '--no-fund',
    '--no-update-notifier',
    '--loglevel=error',
    '--prefix',
    folder,
  ]
  // What npm is called through on Windows is no program of its own.
  const shell = process.platform === 'win32'
  const child = spawn('npm', [...options, ...args], {
    cwd: folder,
    signal,
    shell,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const said: string[] = []
  child.stdout.resume()
  child.stderr.on('data', (chunk) => said.push(String(chunk)))
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', (error: NodeJS.ErrnoException) =>
      reject(error.code === 'ENOENT' ? noNpm(error) : error),
    )
    child.once('close', resolve)
  })
  if (code !== 0) throw npmError(said.join(''))
}

const noNpm = (cause: Error): ConnectorError =>
  new ConnectorError('config', 'There is no npm on this machine.', {
    code: 'NoNpm',
    hint: 'Install Node with npm, or add the connector to a project of another package manager.',
    cause,
  })

const npmError = (said: string): ConnectorError => {
  const lines = said.split('\n').map((line) => line.replace(/^npm (error|ERR!) ?/, ''))
  const [, code = ''] = /^code (\S+)/m.exec(lines.join('\n')) ?? []
  const kind = kindOfCode[code] ?? 'config'
  const message = lines
    .filter((line) => !/^(code|errno|syscall|path|\d+ *$) ?/.test(line))
    .find((line) => line !== '')
  const hint = hintOfKind[kind]
  return new ConnectorError(kind, `npm could not do it: ${message ?? 'it says nothing'}`, {
    code: code || 'NpmFailed',
    ...(hint === undefined ? {} : { hint }),
  })
}
