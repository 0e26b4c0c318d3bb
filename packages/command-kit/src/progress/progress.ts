import type { Writable } from 'node:stream'
import type { ActionProgress, ProgressEvent } from '@penstock/core'
import type { Style } from '../text/style.ts'
import { columnsOf, printable } from '../text/width.ts'
import { liveLines, quietLine, resultLine, streamLine } from './lines.ts'
import { advance, advanceAction, initialProgress, type ProgressState } from './state.ts'

/** Shows a run under way. Works on stderr only. */
export interface Progress {
  readonly onProgress: (event: ProgressEvent) => void
  /** Where the action at work is; undefined when it has ended. */
  readonly onAction: (event: ActionProgress | undefined) => void
  /** Prints a line above what is drawn. */
  line(text: string): void
  /** Lines that a terminal shows above the tables at work, asked for at each drawing. */
  list(lines: (width: number) => readonly string[]): void
  /** True while something is drawn or about to be. */
  active(): boolean
  /** Clears what is drawn and draws no more; lines are still printed. Safe to call again. */
  stop(): void
}

interface ProgressStream extends Writable {
  readonly isTTY?: boolean
  readonly columns?: number
}

export interface ProgressOptions {
  readonly stream: ProgressStream
  readonly style: Style
  readonly quiet: boolean
  readonly redact: (text: string) => string
  /** Between two drawings on a terminal, in ms. */
  readonly drawEveryMs?: number
  /** Between two lines elsewhere, in ms. */
  readonly lineEveryMs?: number
}

const hideCursor = '\x1b[?25l'
const showCursor = '\x1b[?25h'

/** Draws a few lines in place on a terminal; elsewhere, writes a line every few seconds. */
export const createProgress = (options: ProgressOptions): Progress => {
  const { stream, style } = options
  const terminal = Boolean(stream.isTTY) && process.env.TERM !== 'dumb'
  let state: ProgressState = initialProgress
  let timer: NodeJS.Timeout | undefined
  let drawn = 0
  let last = ''
  let stopped = false
  let listed: (width: number) => readonly string[] = () => []

  const write = (text: string) => stream.write(options.redact(text))
  /** What clears the lines drawn last. Goes out together with what replaces them, so that nothing flickers. */
  const erasing = () => {
    const sequence = drawn > 0 ? `\x1b[${drawn}A\x1b[0J` : ''
    drawn = 0
    return sequence
  }
  const drawing = () => {
    const width = columnsOf(stream) - 1
    const lines = [...listed(width), ...liveLines(state, style, width)]
    drawn = lines.length
    return lines.map((text) => `${text}\n`).join('')
  }
  const draw = () => write(erasing() + drawing())
  const log = () => {
    const line = quietLine(state)
    if (line === undefined || line === last) return
    last = line
    write(`${line}\n`)
  }
  const restoreCursor = () => stream.write(showCursor)
  const start = () => {
    if (timer || stopped || options.quiet) return
    if (terminal) {
      stream.write(hideCursor)
      process.once('exit', restoreCursor)
    }
    const every = terminal ? (options.drawEveryMs ?? 100) : (options.lineEveryMs ?? 5_000)
    timer = setInterval(terminal ? draw : log, every)
    timer.unref()
  }
  const line = (text: string) => {
    if (options.quiet) return
    write(`${erasing()}${text}\n${timer && terminal ? drawing() : ''}`)
  }
  return Object.freeze({
    line,
    list: (lines: (width: number) => readonly string[]) => {
      listed = lines
      if (terminal) start()
    },
    active: () => timer !== undefined,
    onAction: (event: ActionProgress | undefined) => {
      state = advanceAction(state, event, Date.now())
      start()
    },
    onProgress: (event: ProgressEvent) => {
      state = advance(state, event, Date.now())
      start()
      if (event.type === 'notice') line(`${event.table ? `${printable(event.table)}: ` : ''}${event.message}`)
      if (event.type === 'table-finished') line(resultLine(event.result, style))
      if (event.type === 'stream-finished') line(streamLine(event.result, style))
    },
    stop: () => {
      stopped = true
      if (!timer) return
      clearInterval(timer)
      timer = undefined
      if (!terminal) return
      write(erasing())
      restoreCursor()
      process.off('exit', restoreCursor)
    },
  })
}
