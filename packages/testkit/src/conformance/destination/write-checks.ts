import { setTimeout } from 'node:timers/promises'
import {
  type AnyDestination,
  ConnectorError,
  type ExportMode,
  type FileLayout,
  type LogicalType,
} from '@penstock/core'
import { canonical, fail, show, within } from '../expectations.ts'
import type { Check, CheckContext } from '../suite.ts'
import type { DestinationOptions, Row } from './options.ts'
import { type StreamOptions, type TestStream, testStream } from './stream.ts'
import { requireFailure, requireRows, requireTold, type Write, write } from './writing.ts'

const rowsFrom = (first: number, count: number, more: Row = {}): Row[] =>
  Array.from({ length: count }, (_, index) => ({ id: first + index, name: `n${first + index}`, ...more }))

/** How long a write may go on after it was cancelled, in ms. */
const cancelLimitMs = 1_000

/** How long the suite waits for a write that went on nevertheless, in ms. */
const lateLimitMs = 30_000

const oddName = `a "b" 'c'; DROP, ü/../%2e 🚰`

const types: Readonly<Record<string, { type: LogicalType; value: unknown }>> = {
  flag: { type: { type: 'boolean' }, value: true },
  whole: { type: { type: 'int', bits: 64, signed: true }, value: 9223372036854775807n },
  exact: { type: { type: 'decimal', precision: 38, scale: 10 }, value: '1234567890123456789.0123456789' },
  day: { type: { type: 'date' }, value: '2026-02-28' },
  moment: { type: { type: 'timestamp', unit: 'us', zoned: false }, value: '2026-02-28 23:59:59.123456' },
  quotes: { type: { type: 'string' }, value: `"quoted", it's\nnew line\ttab \\ back` },
  emoji: { type: { type: 'string' }, value: '🚰 ü 漢' },
  empty: { type: { type: 'string' }, value: '' },
  nothing: { type: { type: 'string' }, value: null },
}

/** Writing in every declared mode, again, at once, cut off and cancelled. */
export const writeChecks = (connector: AnyDestination, options: DestinationOptions): Check[] => {
  const has = (mode: ExportMode) => connector.capabilities.modes.includes(mode)
  const requireMode = (mode: ExportMode, { skip }: CheckContext) =>
    has(mode) || skip(`The connector does not declare the mode ${mode}.`)
  const start = async ({ signal }: CheckContext) => {
    await options.clear()
    return (stream: StreamOptions, request: Omit<Write, 'streams' | 'signal'> & { signal?: AbortSignal }) =>
      write(connector, options, { signal, ...request, streams: [testStream(stream)] })
  }
  const [anyMode = 'append'] = connector.capabilities.modes
  const check = (id: string, title: string, run: (context: CheckContext) => Promise<void>): Check => ({
    id: `write/${id}`,
    title,
    run,
  })

  return [
    check('foreign', 'What others have on the other side stays as it is', async (context) => {
      const foreign = options.foreign ?? context.skip('What others have was not given (foreign).')
      const put = await start(context)
      const before = canonical(await foreign())
      for (const [index, mode] of connector.capabilities.modes.entries())
        await put({ name: 'orders', rows: rowsFrom(1, 4), key: ['id'] }, { mode, commit: `foreign-${index}` })
      if (canonical(await foreign()) !== before) fail('It changed.')
    }),
    check('append', 'Appended rows are added to those of earlier runs', async (context) => {
      requireMode('append', context)
      const put = await start(context)
      const first = await put(
        { name: 'orders', rows: rowsFrom(1, 7) },
        { mode: 'append', commit: 'append-1' },
      )
      requireTold(first, 'orders', 7)
      await requireRows(options, 'orders', rowsFrom(1, 7), 'after the first run')
      await put({ name: 'orders', rows: rowsFrom(8, 2) }, { mode: 'append', commit: 'append-2' })
      await requireRows(options, 'orders', rowsFrom(1, 9), 'after the second run')
    }),
    check('overwrite', 'Overwriting leaves the rows of the last run alone', async (context) => {
      requireMode('overwrite', context)
      const put = await start(context)
      await put({ name: 'orders', rows: rowsFrom(1, 7) }, { mode: 'overwrite', commit: 'overwrite-1' })
      const last = { mode: 'overwrite', commit: 'overwrite-2' } as const
      requireTold(await put({ name: 'orders', rows: rowsFrom(5, 2) }, last), 'orders', 2)
      await requireRows(options, 'orders', rowsFrom(5, 2), 'after the second run')
    }),
    check('merge', 'Merged rows replace those of the same key', async (context) => {
      requireMode('merge', context)
      const put = await start(context)
      const key = ['id']
      await put({ name: 'orders', rows: rowsFrom(1, 4), key }, { mode: 'merge', commit: 'merge-1' })
      const changed = rowsFrom(3, 3).map((row) => ({ ...row, name: 'changed' }))
      await put({ name: 'orders', rows: changed, key }, { mode: 'merge', commit: 'merge-2' })
      await requireRows(options, 'orders', [...rowsFrom(1, 2), ...changed], 'after the second run')
    }),
    check('retry', 'A run that is tried again with the same commit id leaves one copy', async (context) => {
      const put = await start(context)
      for (const mode of connector.capabilities.modes) {
        await options.clear()
        const stream = { name: 'orders', rows: rowsFrom(1, 7), key: ['id'] }
        await put(stream, { mode, commit: `retry-${mode}` })
        await put(stream, { mode, commit: `retry-${mode}`, retried: true })
        await requireRows(options, 'orders', rowsFrom(1, 7), `after the second try (${mode})`)
      }
    }),
    check(
      'cut-off',
      'A run that breaks off leaves what was there before, and can be tried again',
      async (context) => {
        const put = await start(context)
        for (const mode of connector.capabilities.modes) {
          await options.clear()
          const before = { name: 'orders', rows: rowsFrom(1, 4), key: ['id'] }
          await put(before, { mode, commit: `before-${mode}` })
          const next = { name: 'orders', rows: rowsFrom(5, 7), key: ['id'] }
          const commit = `cut-off-${mode}`
          await requireFailure(put({ ...next, failAfter: 3 }, { mode, commit }), 'A stream that broke off')
          await requireRows(options, 'orders', before.rows, `after the stream broke off (${mode})`)
          await put(next, { mode, commit, retried: true })
          const wanted = mode === 'overwrite' ? next.rows : [...before.rows, ...next.rows]
          await requireRows(options, 'orders', wanted, `after the second try (${mode})`)
        }
      },
    ),
    check('two-streams', 'Two streams of one run stay apart', async (context) => {
      await options.clear()
      const streams = ['orders', 'customers'].map((name, index) =>
        testStream({ name, rows: rowsFrom(index * 10, 4), key: ['id'] }),
      )
      await write(connector, options, {
        streams,
        mode: anyMode,
        commit: 'two-streams',
        signal: context.signal,
      })
      await requireRows(options, 'orders', rowsFrom(0, 4), 'has of the first stream')
      await requireRows(options, 'customers', rowsFrom(10, 4), 'has of the second stream')
    }),
    check('empty', 'A stream without rows is no error', async (context) => {
      const put = await start(context)
      await put(
        { name: 'orders', rows: [], types: { id: { type: 'int', bits: 64, signed: true } }, key: ['id'] },
        { mode: anyMode, commit: 'empty' },
      )
      await requireRows(options, 'orders', [], 'has of an empty stream')
    }),
    check('names', 'Streams and columns may have any name', async (context) => {
      const put = await start(context)
      const rows = [{ id: 1, [oddName]: 'x', select: 'y' }]
      await put({ name: oddName, rows, key: ['id'] }, { mode: anyMode, commit: 'names' })
      await requireRows(options, oddName, rows, 'has under odd names')
    }),
    check('types', 'Values arrive to the letter; null and the empty text stay apart', async (context) => {
      const put = await start(context)
      const rows = [
        { id: 1, ...Object.fromEntries(Object.entries(types).map(([name, { value }]) => [name, value])) },
      ]
      const declared = Object.fromEntries(Object.entries(types).map(([name, { type }]) => [name, type]))
      await put({ name: 'orders', rows, types: declared, key: ['id'] }, { mode: anyMode, commit: 'types' })
      await requireRows(options, 'orders', rows, 'has of all types')
    }),
    check('schema-change', 'A later run may have further columns', async (context) => {
      const put = await start(context)
      const mode = has('overwrite') ? 'overwrite' : anyMode
      await put({ name: 'orders', rows: rowsFrom(1, 2), key: ['id'] }, { mode, commit: 'schema-1' })
      const rows = rowsFrom(3, 2, { extra: 'e' })
      await put({ name: 'orders', rows, key: ['id'] }, { mode, commit: 'schema-2' })
      const found = (await options.read('orders')).filter(
        (row) => row.extra !== null && row.extra !== undefined,
      )
      if (found.length !== rows.length)
        fail(`The further column is in ${found.length} of ${rows.length} rows.`)
    }),
    check('at-once', 'Of two runs at once both are whole, or one says that it lost', async ({ signal }) => {
      await options.clear()
      const outcomes = await Promise.allSettled(
        [0, 1].map((index) =>
          write(connector, options, {
            streams: [testStream({ name: 'orders', rows: rowsFrom(index * 100, 7), key: ['id'] })],
            mode: anyMode,
            commit: `at-once-${index}`,
            signal,
            ...(index === 1 && options.second !== undefined && { config: options.second }),
          }),
        ),
      )
      const wanted: Row[] = []
      for (const [index, outcome] of outcomes.entries()) {
        if (outcome.status === 'fulfilled') wanted.push(...rowsFrom(index * 100, 7))
        else if (!ConnectorError.isInstance(outcome.reason) || outcome.reason.kind !== 'conflict')
          fail(`The run that lost says ${show(outcome.reason)}, not that there is a conflict.`)
      }
      const rows = await options.read('orders')
      const whole = anyMode === 'overwrite' ? [7] : [wanted.length]
      if (!whole.includes(rows.length)) fail(`There are ${rows.length} rows of two runs with 7 each.`)
    }),
    check('released', 'Every local file is given back', async ({ signal, skip }) => {
      if (connector.capabilities.fileTypes.length === 0) skip('The connector takes rows, not files.')
      await options.clear()
      const stream = testStream({ name: 'orders', rows: rowsFrom(1, 10), key: ['id'] })
      await write(connector, options, { streams: [stream], mode: anyMode, commit: 'released', signal })
      if (stream.unreleased() > 0) fail(`${stream.unreleased()} files were not released.`)
    }),
    check(
      'cancelled',
      'A write ends within a second after it was cancelled, and leaves nothing',
      async (context) => {
        await options.clear()
        const controller = new AbortController()
        const stream = testStream({ name: 'orders', rows: rowsFrom(1, 10), key: ['id'] })
        const request = { streams: [stream], mode: anyMode, commit: 'cancelled', signal: controller.signal }
        const writing = requireFailure(
          write(connector, options, {
            ...request,
            streams: [pausedStream(stream, () => controller.abort())],
          }),
          'A cancelled write',
        )
        try {
          await within(cancelLimitMs + 1_000, 'The end of a cancelled write', writing)
        } finally {
          // One that goes on all the same is not to write into what the next check looks at.
          await Promise.race([
            Promise.allSettled([writing]),
            setTimeout(lateLimitMs, undefined, { ref: false }),
          ])
        }
        context.signal.throwIfAborted()
        await requireRows(options, 'orders', [], 'after the write was cancelled')
      },
    ),
  ]
}

/** A stream that is cancelled before its second piece, and then waits for ever. */
const pausedStream = (stream: TestStream, cancel: () => void): TestStream => {
  async function* stopping<Piece>(pieces: AsyncIterable<Piece>): AsyncGenerator<Piece> {
    for await (const piece of pieces) {
      yield piece
      cancel()
      // What the runtime gives ends with the signal; this stream leaves that to the connector.
      await setTimeout(cancelLimitMs / 2)
    }
  }
  return Object.freeze({
    ...stream,
    files: (layout: FileLayout) => stopping(stream.files(layout)),
    rows: () => stopping(stream.rows()),
  })
}
