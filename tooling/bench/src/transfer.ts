import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { createWriteStream, existsSync, mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { type SpawnedAws, spawnAws } from '@penstock/testkit'
import { foreignClients, runForeign } from './foreign.ts'
import { median } from './run-task.ts'
import type { TransferMeasurement, TransferTask } from './transfer-worker.ts'

export interface TransferBenchOptions {
  /** Size of the one large object, in bytes. */
  readonly bytes: number
  /** Objects of 10 kB, and keys to list. */
  readonly objects: number
  readonly keys: number
  readonly rounds: number
  readonly only: readonly string[]
  /** Folder for the generated files. */
  readonly folder: string
}

const bucket = 'bench'
const smallBytes = 10_000
/**
 * A virtual machine may give freed memory back to its host, and then pays for each page again. Whoever ran within a
 * second or two of the file's removal would be spared that: with this pause nobody is. In ms.
 */
const settleMs = 5000
const worker = fileURLToPath(new URL('./transfer-worker.ts', import.meta.url))

const jobs: readonly { readonly job: TransferTask['job']; readonly title: string }[] = [
  { job: 'up', title: 'one object up' },
  { job: 'down', title: 'one object down' },
  { job: 'many-up', title: 'many up' },
  { job: 'many-down', title: 'many down' },
  { job: 'list', title: 'list' },
]

const runWorker = async (task: TransferTask): Promise<TransferMeasurement> => {
  const { stdout } = await promisify(execFile)(process.execPath, [
    '--conditions=penstock:source',
    worker,
    JSON.stringify(task),
  ])
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as TransferMeasurement
}

/** Uploads, downloads and listings against bare HTTP and against the clients that are installed, in one run. */
export const benchTransfer = async (options: TransferBenchOptions): Promise<void> => {
  mkdirSync(options.folder, { recursive: true })
  const large = await makeLarge(options)
  const many = makeMany(options)
  const made = join(options.folder, 'made')
  rmSync(made, { recursive: true, force: true })
  try {
    for (const { job, title } of jobs) {
      if (options.only.length > 0 && !options.only.includes(job)) continue
      const aws = await spawnAws({ data: join(made, `aws-${job}`), timeoutMs: 600_000 })
      try {
        await aws.control.createBucket({ name: bucket })
        await benchJob(aws, job, title, { large, many, made, options })
      } finally {
        await aws.close()
      }
    }
  } finally {
    rmSync(made, { recursive: true, force: true })
  }
}

interface Sources {
  readonly large: string
  readonly many: string
  /**
   * Folder for what the jobs write. It is emptied at the end alone: for minutes some file systems find the numbers of
   * files that were deleted before they find free ones (ext4 without a journal), and new files take ten times as long.
   */
  readonly made: string
  readonly options: TransferBenchOptions
}

const benchJob = async (
  aws: SpawnedAws,
  job: TransferTask['job'],
  title: string,
  { large, many, made, options }: Sources,
): Promise<void> => {
  const down = join(made, 'down')
  const base = { job, endpoint: aws.endpoint, bucket, ...aws.root }
  const penstock = (task: Partial<TransferTask>) =>
    runWorker({ kind: 'penstock', path: large, key: 'large', ...base, ...task })
  if (job === 'down') await penstock({ job: 'up' })
  if (job === 'many-down') await penstock({ job: 'many-up', path: many, key: 'many/' })
  if (job === 'list') await fill(aws, options.keys)

  let run = 0
  const taskOf = async (kind: TransferTask['kind']): Promise<TransferTask> => {
    run++
    // One large file at a time is enough for any disk.
    rmSync(down, { force: true })
    if (job === 'up' || job === 'down') await pause(settleMs)
    if (job === 'up') return { kind, path: large, key: `large-${run}`, ...base }
    if (job === 'down') return { kind, path: down, key: 'large', ...base }
    if (job === 'many-up') return { kind, path: many, key: `many-${run}/`, ...base }
    if (job === 'many-down') return { kind, path: `${down}-${run}`, key: 'many/', ...base }
    return { kind, path: '', key: 'keys/', ...base }
  }

  const results = new Map<string, number[]>()
  const note = (name: string, ms: number) => results.set(name, [...(results.get(name) ?? []), ms])
  /** Of another client alone, in ms: part of its time, as nobody can take it out of a noisy measurement. */
  const starts = new Map<string, number>()
  let memory = 0
  let cpu = 0
  for (let round = 0; round < options.rounds; round++) {
    if (job !== 'list') note('bare HTTP', (await runWorker(await taskOf('floor'))).ms)
    const measured = await runWorker(await taskOf('penstock'))
    note('penstock', measured.ms)
    memory = Math.max(memory, measured.peakMemory)
    cpu = measured.cpuMs
    for (const client of foreignClients(aws)) {
      starts.set(client.name, await runForeign(client, [client.name === 'aws' ? '--version' : 'version']))
      note(client.name, await runForeign(client, client.command(await taskOf('penstock'))))
    }
  }
  const own = median(results.get('penstock') ?? [])
  console.log(
    `\n${title} (${describe(job, options)}): memory ${(memory / 1e6).toFixed(0)} MB, CPU ${(cpu / 1000).toFixed(2)} s`,
  )
  for (const [name, times] of results) {
    const ms = median(times)
    const start = starts.get(name)
    const told = start === undefined ? '' : `, its start ${(start / 1000).toFixed(2)} s`
    console.log(
      `  ${name.padEnd(10)} ${(ms / 1000).toFixed(2).padStart(8)} s ${rateOf(job, ms, options).padStart(16)}   penstock takes ${(own / ms).toFixed(2)} of it${told}`,
    )
  }
}

const describe = (job: TransferTask['job'], { bytes, objects, keys }: TransferBenchOptions): string => {
  if (job === 'list') return `${keys} keys`
  return job.startsWith('many')
    ? `${objects} of ${smallBytes / 1000} kB`
    : `${(bytes / 1024 ** 2).toFixed(0)} MiB`
}

const rateOf = (job: TransferTask['job'], ms: number, options: TransferBenchOptions): string => {
  if (job === 'list') return `${((options.keys / ms) * 1000).toFixed(0)} keys/s`
  if (job.startsWith('many')) return `${((options.objects / ms) * 1000).toFixed(0)} objects/s`
  return `${(options.bytes / 1000 / ms).toFixed(0)} MB/s`
}

const makeLarge = async ({ folder, bytes }: TransferBenchOptions): Promise<string> => {
  const path = join(folder, `large-${bytes}`)
  if (existsSync(path) && statSync(path).size === bytes) return path
  const block = randomBytes(1 << 20)
  const file = createWriteStream(path)
  for (let left = bytes; left > 0; left -= block.length) {
    // Blocks that differ: no file system shall store them as one.
    block.writeDoubleLE(left, 0)
    if (!file.write(Buffer.from(block.subarray(0, left))))
      await new Promise<void>((resolve) => file.once('drain', () => resolve()))
  }
  await new Promise<void>((resolve) => file.end(() => resolve()))
  return path
}

const makeMany = ({ folder, objects }: TransferBenchOptions): string => {
  const path = join(folder, `many-${objects}`)
  if (existsSync(path)) return path
  mkdirSync(path)
  for (let index = 0; index < objects; index++)
    writeFileSync(join(path, `part-${index}`), randomBytes(smallBytes))
  return path
}

const fill = async (aws: SpawnedAws, keys: number): Promise<void> => {
  for (let start = 0; start < keys; start += 500)
    await Promise.all(
      Array.from({ length: Math.min(500, keys - start) }, (_, index) =>
        aws.control.putObject({ bucket, key: `keys/2024/part-${start + index}.csv`, body: 'x' }),
      ),
    )
}
