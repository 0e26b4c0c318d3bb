import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { findPrograms } from '../../interop/src/programs.ts'
import type { TransferTask } from './transfer-worker.ts'

/** A client that others wrote: how it does a job. */
export interface ForeignClient {
  readonly name: string
  readonly program: string
  readonly environment: Readonly<Record<string, string>>
  command(task: TransferTask): readonly string[]
}

const url = ({ bucket, key }: TransferTask) => `s3://${bucket}/${key}`

const commands: Readonly<Record<string, (task: TransferTask) => readonly string[]>> = {
  s5cmd: (task) => {
    const s5cmd = (...words: string[]) => ['--endpoint-url', task.endpoint, ...words]
    switch (task.job) {
      case 'up':
        return s5cmd('cp', task.path, url(task))
      case 'down':
        return s5cmd('cp', url(task), task.path)
      case 'many-up':
        return s5cmd('sync', `${task.path}/`, url(task))
      case 'many-down':
        return s5cmd('sync', `${url(task)}*`, `${task.path}/`)
      case 'list':
        return s5cmd('ls', `${url(task)}*`)
    }
  },
  rclone: (task) => {
    const remote = `peer:${task.bucket}/${task.key}`
    const many = ['--transfers', '32', '--checkers', '32']
    switch (task.job) {
      case 'up':
        return ['copyto', task.path, remote]
      case 'down':
        return ['copyto', '--ignore-times', remote, task.path]
      case 'many-up':
        return ['sync', ...many, task.path, remote]
      case 'many-down':
        return ['sync', ...many, remote, task.path]
      case 'list':
        return ['lsf', '--recursive', '--files-only', '--format', 'tsp', remote]
    }
  },
  aws: (task) => {
    const s3 = (...words: string[]) => ['--endpoint-url', task.endpoint, 's3', ...words]
    const quiet = '--only-show-errors'
    switch (task.job) {
      case 'up':
        return s3('cp', quiet, task.path, url(task))
      case 'down':
        return s3('cp', quiet, url(task), task.path)
      case 'many-up':
        return s3('sync', quiet, task.path, url(task))
      case 'many-down':
        return s3('sync', quiet, url(task), task.path)
      case 'list':
        return s3('ls', '--recursive', url(task))
    }
  },
}

/** Clients that are installed here (tooling/interop/setup.sh), set up for one endpoint. */
export const foreignClients = (aws: {
  readonly endpoint: string
  readonly root: { readonly accessKeyId: string; readonly secretAccessKey: string }
}): readonly ForeignClient[] => {
  const { accessKeyId, secretAccessKey } = aws.root
  const environment = {
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    AWS_REGION: 'us-east-1',
    AWS_DEFAULT_REGION: 'us-east-1',
    AWS_CONFIG_FILE: '/dev/null',
    AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
    RCLONE_CONFIG: '/dev/null',
    RCLONE_CONFIG_PEER_TYPE: 's3',
    RCLONE_CONFIG_PEER_PROVIDER: 'Other',
    RCLONE_CONFIG_PEER_ENDPOINT: aws.endpoint,
    RCLONE_CONFIG_PEER_REGION: 'us-east-1',
    RCLONE_CONFIG_PEER_FORCE_PATH_STYLE: 'true',
    RCLONE_CONFIG_PEER_ACCESS_KEY_ID: accessKeyId,
    RCLONE_CONFIG_PEER_SECRET_ACCESS_KEY: secretAccessKey,
    RCLONE_CONFIG_PEER_UPLOAD_CONCURRENCY: '8',
    RCLONE_CONFIG_PEER_CHUNK_SIZE: '16Mi',
  }
  return Object.entries(commands).flatMap(([name, command]) => {
    const found = findPrograms(name)
    if ('missing' in found) return []
    return [{ name, program: found.programs[name] as string, environment, command }]
  })
}

/** Settings of whoever runs this must not count. */
const baseEnvironment = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !/^(AWS|RCLONE)_/.test(name)),
)

/** Runs a client to its end; gives its time in ms, its start included. */
export const runForeign = async (client: ForeignClient, args: readonly string[]): Promise<number> => {
  const started = performance.now()
  const child = spawn(client.program, args, {
    env: { ...baseEnvironment, ...client.environment },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let errors = ''
  child.stderr.on('data', (text: Buffer) => {
    errors = (errors + text.toString()).slice(-2000)
  })
  const [code] = await once(child, 'close')
  if (code !== 0) throw new Error(`${client.name} ${args.join(' ')} ended with ${code}: ${errors}`)
  return performance.now() - started
}
