import type { Writable } from 'node:stream'
import { styleText } from 'node:util'

/** Colours for one stream; plain text where the stream is no terminal, or `NO_COLOR` is set. */
export interface Style {
  bold(text: string): string
  dim(text: string): string
  red(text: string): string
  green(text: string): string
  yellow(text: string): string
  cyan(text: string): string
}

export const styleFor = (stream: Writable): Style => {
  const paint = (format: 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan') => (text: string) =>
    styleText(format, text, { stream })
  return {
    bold: paint('bold'),
    dim: paint('dim'),
    red: paint('red'),
    green: paint('green'),
    yellow: paint('yellow'),
    cyan: paint('cyan'),
  }
}
