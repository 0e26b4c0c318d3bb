import { type FileHandle, rm } from 'node:fs/promises'
import type { ByteRange, FileEntry, TransferOptions } from '@penstock/core'
import type { Crc } from '../checksum/crc.ts'
import { type ExpectedChecksum, expectedChecksum } from '../checksum/expected.ts'
import type { Hashing } from '../checksum/hashing.ts'
import { fetchRange } from './fetch-range.ts'
import { fileError, openForWriting, rangeWriter, writeSmallFile } from './local-file.ts'
import { type PartOptions, type TransferContext, verifiedPart } from './part.ts'
import { parallelRanges, planRanges } from './ranges.ts'
import { fetchChecksum, mismatch, runningHash, wholeCrc } from './verify.ts'

/** Objects up to this size are held in memory and written at once. */
const memoryBytes = 256 * 1024
/** MD5 and SHA of files up to this size are computed on the spot, of larger ones in another thread. */
const inlineHashBytes = 1 << 20

/**
 * Writes the listed version of an object to a file: in parallel ranges, verified against its checksum or ETag.
 * Wrong bytes are fetched once more, then it is a `data` error. After a failure there is no file.
 */
export const downloadObject = async (
  context: TransferContext,
  entry: FileEntry,
  path: string,
  options: TransferOptions,
): Promise<void> => {
  const connection = context.client.signals(options.signal)
  if (entry.size <= memoryBytes) {
    const range = { start: 0, end: entry.size }
    const { client } = context
    const part =
      entry.size === 0
        ? undefined
        : await verifiedPart(context, entry, range, { ...options, signal: connection }, client.verify)
    writeSmallFile(path, part?.chunks ?? [])
    return
  }
  const stop = new AbortController()
  const signal = AbortSignal.any([connection, stop.signal])
  const file = await openForWriting(path)
  let complete = false
  try {
    await verifiedTransfer(context, entry, { file, path }, { ...options, signal }, stop)
    complete = true
  } finally {
    await file.close().catch((error: unknown) => {
      // Some file systems report a full disk only now.
      if (complete) throw fileError(error, path)
    })
    if (!complete) await rm(path, { force: true })
  }
}

interface Target {
  readonly file: FileHandle
  readonly path: string
}

const verifiedTransfer = async (
  context: TransferContext,
  entry: FileEntry,
  target: Target,
  options: PartOptions,
  stop: AbortController,
): Promise<void> => {
  for (let again = false; ; again = true) {
    const wrong = await transfer(context, entry, target, options, stop)
    if (!wrong) return
    options.onBytes?.(-entry.size)
    if (again) throw mismatch(entry, wrong)
  }
}

/** One pass over the object. Gives the checksum that the bytes do not have, or undefined when all is well. */
const transfer = async (
  context: TransferContext,
  entry: FileEntry,
  target: Target,
  options: PartOptions,
  stop: AbortController,
): Promise<ExpectedChecksum | undefined> => {
  const { client } = context
  const ranges = planRanges(entry.size)
  const single = ranges.length === 1
  const answered = Promise.withResolvers<ExpectedChecksum | undefined>()
  if (!client.verify) answered.resolve(undefined)
  else if (!single) answered.resolve(fetchChecksum(client, entry, options.signal))
  const check = createCheck(context, entry, target, ranges, answered.promise)
  let next = 0

  const lane = async (): Promise<void> => {
    for (let index = next++; index < ranges.length; index = next++) {
      const range = ranges[index] as ByteRange
      const part = check.part(index)
      const writer = rangeWriter(target.file, target.path, range.start, part.block, part.written)
      await fetchRange(client, entry, range, {
        ...options,
        checksum: client.verify,
        ...(single
          ? { onHeaders: (headers) => answered.resolve(expectedChecksum(headers, entry.version)) }
          : {}),
        sink: writer.write,
      })
      await writer.flush()
      part.end()
    }
  }

  try {
    const lanes = Math.min(parallelRanges, context.concurrency, ranges.length)
    const settled = await Promise.allSettled(
      Array.from({ length: lanes }, () =>
        lane().catch((error: unknown) => {
          stop.abort(error)
          throw error
        }),
      ),
    )
    const failed = settled.find((outcome) => outcome.status === 'rejected')
    if (failed) throw failed.reason
    return await check.finish()
  } catch (error) {
    check.cancel()
    throw error
  }
}

/** Hashes what the lanes write. */
interface Check {
  part(index: number): {
    readonly block: (chunks: readonly Uint8Array[]) => void | Promise<void>
    readonly written: (position: number) => void
    end(): void
  }
  /** The checksum that the bytes do not have. */
  finish(): Promise<ExpectedChecksum | undefined>
  cancel(): void
}

const createCheck = (
  { hashing }: TransferContext,
  entry: FileEntry,
  target: Target,
  ranges: readonly ByteRange[],
  expected: Promise<ExpectedChecksum | undefined>,
): Check => {
  const crcs: { crc: bigint; length: number }[] = []
  const written = ranges.map((range) => range.start)
  let inOrder: InOrderHash | undefined

  const orderedHash = (checksum: ExpectedChecksum): InOrderHash =>
    (inOrder ??= openInOrderHash(hashing, checksum, entry, target))

  return {
    part: (index) => {
      const { start, end } = ranges[index] as ByteRange
      let lease: { readonly crc: Crc; release(): void } | undefined
      return {
        block: async (chunks) => {
          const checksum = await expected
          if (!checksum) return
          if (checksum.kind === 'crc') {
            lease ??= hashing.crc(checksum.algorithm)
            for (const chunk of chunks) lease.crc.update(chunk)
          } else orderedHash(checksum).block(chunks)
        },
        written: (position) => {
          written[index] = position
          inOrder?.advance(contiguous(ranges, written))
        },
        end: () => {
          if (!lease) return
          crcs[index] = { crc: lease.crc.digest(), length: end - start }
          lease.release()
        },
      }
    },
    finish: async () => {
      const checksum = await expected
      if (!checksum) return undefined
      const actual =
        checksum.kind === 'crc' ? wholeCrc(checksum.algorithm, crcs) : await inOrder?.finish(entry.size)
      return actual === checksum.base64 ? undefined : checksum
    },
    cancel: () => inOrder?.cancel(),
  }
}

/** End of the bytes that are in the file without a gap. */
const contiguous = (ranges: readonly ByteRange[], written: readonly number[]): number => {
  const open = ranges.findIndex((range, index) => (written[index] ?? 0) < range.end)
  return open === -1 ? (ranges.at(-1)?.end ?? 0) : (written[open] ?? 0)
}

/** A hash that needs the bytes in order: of a small file from its chunks, of a large one from the file. */
interface InOrderHash {
  block(chunks: readonly Uint8Array[]): void
  advance(position: number): void
  finish(size: number): Promise<string>
  cancel(): void
}

const openInOrderHash = (
  hashing: Hashing,
  checksum: ExpectedChecksum,
  entry: FileEntry,
  target: Target,
): InOrderHash => {
  if (checksum.kind === 'sequential' && entry.size > inlineHashBytes)
    return { block: () => {}, ...hashing.fileDigest(target.path, checksum.algorithm) }
  const hash = runningHash(hashing, checksum)
  return {
    block: (chunks) => {
      for (const chunk of chunks) hash.update(chunk)
    },
    advance: () => {},
    finish: async () => hash.digest(),
    cancel: () => {},
  }
}
