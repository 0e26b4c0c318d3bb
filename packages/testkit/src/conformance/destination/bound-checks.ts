import { setTimeout as sleep } from 'node:timers/promises'
import type { AnyDestination, ExportFile, FileLayout } from '@penstock/core'
import { collectGarbage } from '../collect-garbage.ts'
import { fail } from '../expectations.ts'
import type { Check } from '../suite.ts'
import type { DestinationOptions, Row } from './options.ts'
import { type TestStream, testStream } from './stream.ts'
import { write } from './writing.ts'

/** Pieces of the large stream, and about the bytes of each. */
const pieces = 64
const pieceBytes = 1 << 20
/** Files that may be out at once: the engine has a bounded folder, and waits. */
const filesOut = 8
/** How long the stream waits for a file to be given back, in ms. */
const waitMs = 3_000
/**
 * Pieces before which memory is looked at. Buffers fill and empty as the machine has time: what counts is the least of the
 * early looks, when what starts up is there, and the least of the late ones.
 */
const earlyLooks = [20, 24, 28, 32]
const lateLooks = [47, 51, 55, 59, 63]
/** Mebibytes that are written at least between an early look and a late one. */
const writtenBetween = Math.min(...lateLooks) - Math.min(...earlyLooks)
/** Bytes by which memory may grow meanwhile: not all of them, nor few, as there may be buffers that fill up. */
const allowedGrowth = writtenBetween * pieceBytes * 0.75

/** What is large goes through: neither memory nor the local disk may grow with it. */
export const boundChecks = (connector: AnyDestination, options: DestinationOptions): Check[] => {
  const [mode = 'append'] = connector.capabilities.modes
  const put = (stream: TestStream, commit: string, signal: AbortSignal, config?: unknown) =>
    write(connector, options, {
      streams: [stream],
      mode,
      commit,
      signal,
      ...(config !== undefined && { config }),
    })

  return [
    {
      id: 'write/staging',
      title: 'Files are given back while later ones are written: the local disk is bounded',
      run: async ({ signal, skip }) => {
        if (connector.capabilities.fileTypes.length === 0) skip('The connector takes rows, not files.')
        await options.clear()
        const rows = Array.from({ length: 3 * pieces }, (_, index) => ({
          id: index + 1,
          name: `n${index + 1}`,
        }))
        const stream = testStream({ name: 'orders', rows, key: ['id'] })
        await put(boundedStream(stream, signal), 'staging', signal)
        const found = (await options.read('orders')).length
        if (found !== rows.length) fail(`There are ${found} of ${rows.length} rows.`)
      },
    },
    {
      id: 'write/memory',
      title: 'Memory does not grow with what is written',
      run: async ({ signal, skip }) => {
        const config = options.large ?? skip('No place for a large write was given (large).')
        await options.clear()
        const looks = new Map<number, number>()
        await put(largeStream(looks), 'memory', signal, config)
        if (looks.size < earlyLooks.length + lateLooks.length) fail('The stream was not read to its end.')
        const least = (pieces: readonly number[]) => Math.min(...pieces.map((piece) => looks.get(piece) ?? 0))
        const growth = least(lateLooks) - least(earlyLooks)
        if (growth > allowedGrowth)
          fail(
            `While ${writtenBetween} MiB were written, memory grew by ${Math.round(growth / 1024 ** 2)} MiB.`,
          )
        await options.clear()
      },
    },
  ]
}

/** A stream that gives no further file while too many are out, as an engine with a bounded folder. */
const boundedStream = (stream: TestStream, signal: AbortSignal): TestStream => {
  async function* files(layout: FileLayout): AsyncGenerator<ExportFile> {
    for await (const file of stream.files(layout)) {
      for (let waited = 0; stream.unreleased() > filesOut; waited += 20) {
        if (waited >= waitMs)
          fail(`${filesOut} files are out, and none is given back: an engine would wait for ever.`)
        await sleep(20, undefined, { signal })
      }
      yield file
    }
  }
  return Object.freeze({ ...stream, files })
}

const memory = async (): Promise<number> => {
  await collectGarbage()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

/** Pieces of a mebibyte each. Memory is measured before some of them. */
const largeStream = (looks: Map<number, number>): TestStream => {
  const width = 1024
  const perPiece = pieceBytes / width
  const text = 'x'.repeat(width)
  const rowsOf = (piece: number): Row[] =>
    Array.from({ length: perPiece }, (_, index) => ({ id: piece * perPiece + index, text }))
  const stream = testStream({ name: 'orders', rows: rowsOf(0).slice(0, 1), key: ['id'] })
  const look = async (piece: number) => {
    if (earlyLooks.includes(piece) || lateLooks.includes(piece)) looks.set(piece, await memory())
  }
  async function* rows(): AsyncGenerator<readonly Row[]> {
    for (let piece = 0; piece < pieces; piece++) {
      await look(piece)
      yield rowsOf(piece)
    }
  }
  async function* files(layout: FileLayout): AsyncGenerator<ExportFile> {
    for (let piece = 0; piece < pieces; piece++) {
      await look(piece)
      const page = testStream({ name: 'orders', rows: rowsOf(piece), key: ['id'], pageRows: perPiece })
      for await (const file of page.files(layout))
        yield {
          ...file,
          part: piece + 1,
          release: async () => {
            await file.release()
            await page.remove()
          },
        }
    }
  }
  return Object.freeze({ ...stream, files, rows })
}
