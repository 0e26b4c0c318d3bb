import { PassThrough } from 'node:stream'
import type { ProgressEvent, TableResult } from '@penstock/core'
import { describe, expect, it } from 'vitest'
import { styleFor } from '../text/style.ts'
import { widthOf } from '../text/width.ts'
import { liveLines, quietLine, resultLine } from './lines.ts'
import { createProgress } from './progress.ts'
import { advance, initialProgress, rateOf, remainingOf } from './state.ts'

const stream = new PassThrough()
const style = styleFor(stream)
const result: TableResult = {
  name: 'orders',
  mode: 'full',
  status: 'succeeded',
  objects: 2,
  bytes: 2_000_000,
  rowsRead: 11,
  rowsLoaded: 10,
  rowsRejected: 1,
  rowsDeleted: 0,
  columns: [],
  durationMs: 1500,
}
const events: readonly (readonly [number, ProgressEvent])[] = [
  [0, { type: 'run-started', runId: 'r', tables: ['orders', 'customers'] }],
  [0, { type: 'listing', table: 'orders', objects: 2, bytes: 2_000_000 }],
  [100, { type: 'planned', table: 'orders', objects: 2, bytes: 2_000_000 }],
  [100, progress(0, 0)],
  [600, progress(500_000, 3)],
  [1_100, progress(1_000_000, 5)],
  [1_100, { type: 'retry', table: 'orders', object: 'a', attempt: 1, delayMs: 1, reason: 'reset' }],
]

function progress(bytes: number, rows: number): ProgressEvent {
  return {
    type: 'progress',
    table: 'orders',
    bytes,
    objectsStaged: 1,
    stagedBytes: 0,
    objectsLoaded: 1,
    rows,
    rejected: 0,
  }
}
const stateAfter = (count: number) =>
  events.slice(0, count).reduce((state, [now, event]) => advance(state, event, now), initialProgress)

describe('progress', () => {
  it('knows rate and remaining time from the last seconds', () => {
    const state = stateAfter(events.length)
    const table = state.tables.get('orders')
    expect(rateOf(state, 'orders')).toBe(1_000_000)
    expect(table && remainingOf(table, 1_000_000)).toBe(1000)
    expect(rateOf(stateAfter(4), 'orders')).toBeUndefined()
    const later = advance(state, progress(1_000_000, 5), 60_000)
    expect(later.samples).toHaveLength(1)
  })

  it('tells bytes, rows, files, rate and remaining time, within the width', () => {
    const lines = liveLines(stateAfter(events.length), style, 79)
    expect(lines).toEqual([
      expect.stringMatching(/^orders +█{12}░{12} {2}50 % {2}ETA 0:01$/),
      '  1.0 MB of 2.0 MB  1 of 2 files  5 rows  1.0 MB/s  1 retry',
      '  1 more table to come',
    ])
    for (const width of [30, 40, 60])
      for (const line of liveLines(stateAfter(events.length), style, width))
        expect(widthOf(line)).toBeLessThanOrEqual(width)
    expect(liveLines(stateAfter(2), style, 79)[0]).toBe('orders  2 objects, 2.0 MB listed')
  })

  it('is one plain line in a log', () => {
    expect(quietLine(stateAfter(events.length))).toBe(
      'orders: 1.0 MB of 2.0 MB, 1 of 2 files, 5 rows, 1.0 MB/s, 1 retry, ETA 0:01',
    )
    expect(quietLine(stateAfter(1))).toBeUndefined()
  })

  it('says what became of a table', () => {
    expect(resultLine(result, style)).toBe('✔ orders: 2 files, 2.0 MB, 10 rows loaded, 1 rejected in 1.5 s')
    expect(resultLine({ ...result, status: 'unchanged' }, style)).toContain('nothing new')
    expect(resultLine({ ...result, status: 'failed' }, style)).toContain('as it was')
  })
})

describe('createProgress', () => {
  const drawn = async (
    terminal: boolean,
    work: (progress: ReturnType<typeof createProgress>) => Promise<void>,
  ) => {
    const stream = Object.assign(new PassThrough(), { isTTY: terminal, columns: 80 })
    const options = { stream, style, quiet: false, redact: (text: string) => text.replaceAll('orders', 'O') }
    const shown = createProgress({ ...options, drawEveryMs: 1, lineEveryMs: 1 })
    await work(shown)
    shown.stop()
    return String(stream.read() ?? '')
  }
  const feed = async (shown: ReturnType<typeof createProgress>) => {
    for (const [, event] of events) shown.onProgress(event)
    await new Promise((resolve) => setTimeout(resolve, 20))
    shown.onProgress({ type: 'notice', message: 'something to know' })
    shown.onProgress({ type: 'table-finished', table: 'orders', result })
  }

  it('draws in place on a terminal and leaves it as it was', async () => {
    const text = await drawn(true, feed)
    expect(text.startsWith('\x1b[?25l')).toBe(true)
    expect(text.endsWith('\x1b[?25h')).toBe(true)
    expect(text).toContain('\x1b[3A\x1b[0J')
    expect(text).toContain('something to know\n')
    expect(text).toContain('✔ O: 2 files')
    expect(text).not.toContain('orders')
  })

  it('shows a list above the tables, as it is at each drawing', async () => {
    let step = 'first'
    const text = await drawn(true, async (shown) => {
      shown.list(() => [`> ${step}`])
      await new Promise((resolve) => setTimeout(resolve, 20))
      step = 'second'
      await new Promise((resolve) => setTimeout(resolve, 20))
    })
    expect(text).toContain('> first\n')
    expect(text).toContain('\x1b[1A\x1b[0J> second\n')
    expect(await drawn(false, async (shown) => shown.list(() => ['> first']))).toBe('')
  })

  it('writes plain lines elsewhere, and none twice', async () => {
    const text = await drawn(false, feed)
    expect(text).not.toContain('\x1b')
    expect(text.split('\n').filter((line) => line.startsWith('O: '))).toHaveLength(1)
    expect(text).toContain('something to know\n✔ O: 2 files')
  })
})
