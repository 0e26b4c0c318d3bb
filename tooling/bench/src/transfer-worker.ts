import { createReadStream, createWriteStream, mkdirSync, readdirSync, statSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import {
  downloadFile,
  listFiles,
  presign,
  type S3ActionContext,
  s3Actions,
  sync,
  uploadFile,
} from '@penstock/actions-s3'
import { withContext } from '@penstock/core'

/* One measured transfer in a process of its own, so that its peak memory is its own. Prints one JSON line. */

export interface TransferTask {
  readonly kind: 'penstock' | 'floor'
  readonly job: 'up' | 'down' | 'many-up' | 'many-down' | 'list'
  readonly endpoint: string
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly bucket: string
  /** Local file or folder. */
  readonly path: string
  /** Key or prefix. */
  readonly key: string
}

export interface TransferMeasurement {
  readonly ms: number
  /** Objects that were moved or listed. */
  readonly count: number
  /** Highest resident memory of the process, in bytes. */
  readonly peakMemory: number
  /** CPU time of the process, in ms. */
  readonly cpuMs: number
}

type Job = (context: S3ActionContext, task: TransferTask) => Promise<() => Promise<number>>

const url = ({ bucket, key }: TransferTask) => `s3://${bucket}/${key}`

const penstock: Record<TransferTask['job'], Job> = {
  up: async (context, task) => async () => {
    await uploadFile(context, { source: task.path, to: url(task) })
    return 1
  },
  down: async (context, task) => async () => {
    await downloadFile(context, { path: url(task), to: task.path, overwrite: true })
    return 1
  },
  'many-up': async (context, task) => async () =>
    (await sync(context, { from: task.path, to: url(task) })).uploaded,
  'many-down': async (context, task) => async () =>
    (await sync(context, { from: url(task), to: task.path })).downloaded,
  list: async (context, task) => async () => {
    let count = 0
    await listFiles(context, { prefix: url(task) }, async () => {
      count++
    })
    return count
  },
}

/*
 * The floor: the same bytes by the plainest HTTP that there is, requests signed beforehand, without retries,
 * checksums, parts or comparison, 32 at a time where there are many.
 */
const lanes = 32
const agent = new Agent({ keepAlive: true, maxSockets: lanes })

const signed = (context: S3ActionContext, task: TransferTask, key: string, method: 'GET' | 'PUT') =>
  presign(context, { path: `s3://${task.bucket}/${key}`, method }).then((answer) => answer.url)

const put = (target: string, file: string): Promise<void> =>
  new Promise((resolve, reject) => {
    const headers = { 'content-length': statSync(file).size }
    const sent = request(target, { method: 'PUT', agent, headers }, (answer) => {
      answer
        .resume()
        .on('end', () => (answer.statusCode === 200 ? resolve() : reject(new Error(`${answer.statusCode}`))))
    }).on('error', reject)
    createReadStream(file, { highWaterMark: 1 << 20 }).pipe(sent)
  })

const get = (source: string, file: string): Promise<void> =>
  new Promise((resolve, reject) => {
    request(source, { agent }, (answer) => {
      pipeline(answer, createWriteStream(file, { highWaterMark: 1 << 20 })).then(resolve, reject)
    })
      .on('error', reject)
      .end()
  })

const inLanes = async <Item>(items: readonly Item[], run: (item: Item) => Promise<void>): Promise<number> => {
  let next = 0
  const lane = async () => {
    for (let index = next++; index < items.length; index = next++) await run(items[index] as Item)
  }
  await Promise.all(Array.from({ length: lanes }, lane))
  return items.length
}

const floor: Record<Exclude<TransferTask['job'], 'list'>, Job> = {
  up: async (context, task) => {
    const target = await signed(context, task, task.key, 'PUT')
    return async () => {
      await put(target, task.path)
      return 1
    }
  },
  down: async (context, task) => {
    const source = await signed(context, task, task.key, 'GET')
    return async () => {
      await get(source, task.path)
      return 1
    }
  },
  'many-up': async (context, task) => {
    const names = readdirSync(task.path)
    const urls = await Promise.all(names.map((name) => signed(context, task, `${task.key}${name}`, 'PUT')))
    return () =>
      inLanes(
        names.map((name, index) => [name, urls[index] as string] as const),
        ([name, target]) => put(target, join(task.path, name)),
      )
  },
  'many-down': async (context, task) => {
    const { files } = await listFiles(context, { prefix: url(task) })
    const urls = await Promise.all(files.map(({ key }) => signed(context, task, key, 'GET')))
    mkdirSync(task.path, { recursive: true })
    return () =>
      inLanes(
        urls.map((source, index) => [source, String(index)] as const),
        ([source, name]) => get(source, join(task.path, name)),
      )
  },
}

const task = JSON.parse(process.argv[2] ?? '{}') as TransferTask
const { endpoint, accessKeyId, secretAccessKey } = task
const connection = s3Actions({
  region: 'us-east-1',
  endpoint,
  auth: { method: 'access-key', accessKeyId, secretAccessKey },
})
await withContext(connection, async (context) => {
  const job = task.kind === 'penstock' || task.job === 'list' ? penstock[task.job] : floor[task.job]
  const prepared = await job({ ...context, onProgress: () => {} }, task)
  const before = process.cpuUsage()
  const started = performance.now()
  const count = await prepared()
  const ms = performance.now() - started
  const { user, system } = process.cpuUsage(before)
  const measurement: TransferMeasurement = {
    ms,
    count,
    peakMemory: process.resourceUsage().maxRSS * 1024,
    cpuMs: (user + system) / 1000,
  }
  console.log(JSON.stringify(measurement))
})
agent.destroy()
