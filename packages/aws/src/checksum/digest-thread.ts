import { createHash, type Hash } from 'node:crypto'
import { closeSync, openSync, readSync } from 'node:fs'
import { answerCalls } from '../threads/answer-calls.ts'
import type { DigestRequest } from './hashing.ts'

/** Runs in a thread of its own: hashes files while they grow, so that the thread of the sockets is free. */
interface Job {
  readonly hash: Hash
  readonly descriptor: number
  position: number
}

const jobs = new Map<number, Job>()
const buffer = Buffer.allocUnsafe(1 << 20)

const catchUp = (job: Job, end: number): void => {
  while (job.position < end) {
    const read = readSync(
      job.descriptor,
      buffer,
      0,
      Math.min(buffer.length, end - job.position),
      job.position,
    )
    if (read === 0) throw new Error('The file is shorter than what was written to it.')
    job.hash.update(buffer.subarray(0, read))
    job.position += read
  }
}

const drop = (id: number): void => {
  const job = jobs.get(id)
  jobs.delete(id)
  if (job) closeSync(job.descriptor)
}

const handle = (request: DigestRequest): string | undefined => {
  const { id } = request
  if (request.type === 'open')
    jobs.set(id, {
      hash: createHash(request.algorithm),
      descriptor: openSync(request.path, 'r'),
      position: 0,
    })
  else if (request.type === 'cancel') drop(id)
  else {
    const job = jobs.get(id)
    if (!job) throw new Error('The file could not be opened.')
    catchUp(job, request.position)
    if (request.type === 'finish') {
      const base64 = job.hash.digest('base64')
      drop(id)
      return base64
    }
  }
  return undefined
}

answerCalls((request: DigestRequest) => {
  try {
    return handle(request)
  } catch (error) {
    drop(request.id)
    throw error
  }
})
