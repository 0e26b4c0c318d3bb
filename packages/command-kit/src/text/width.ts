import stringWidth from 'fast-string-width'

const segmenter = new Intl.Segmenter(undefined, { granularity: 'grapheme' })

/** Columns that a text takes on a terminal; wide characters and emoji take two. */
export const widthOf = (text: string): number => stringWidth(text)

/**
 * Text from outside (keys, values, server messages) made safe for a terminal: control characters, which could move
 * the cursor or change colours, become visible escapes.
 */
export const printable = (text: string): string =>
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
  text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g, (character) => {
    const known: Record<string, string> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' }
    return known[character] ?? `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
  })

/** Cuts a text to a width; an ellipsis stands for what was cut, at the end or in the middle. */
export const truncate = (text: string, width: number, at: 'end' | 'middle' = 'end'): string => {
  if (widthOf(text) <= width) return text
  if (width <= 1) return width === 1 ? '…' : ''
  const parts = [...segmenter.segment(text)].map((part) => part.segment)
  if (at === 'end') return `${take(parts, width - 1)}…`
  const tail = Math.floor((width - 1) / 2)
  const head = width - 1 - tail
  return `${take(parts, head)}…${take(parts.reverse(), tail, true)}`
}

const take = (parts: readonly string[], width: number, reversed = false): string => {
  const taken: string[] = []
  let used = 0
  for (const part of parts) {
    used += widthOf(part)
    if (used > width) break
    taken.push(part)
  }
  return (reversed ? taken.reverse() : taken).join('')
}

export const pad = (text: string, width: number, align: 'left' | 'right' = 'left'): string => {
  const space = ' '.repeat(Math.max(0, width - widthOf(text)))
  return align === 'left' ? text + space : space + text
}

/** Breaks a text at spaces into lines of at most `width`; line breaks of the text stay, longer words stand alone. */
export const wrap = (text: string, width: number): string[] =>
  text.split('\n').flatMap((paragraph) => {
    const lines: string[] = []
    // Spaces that a line begins with stay: a caret below it points at a place.
    let line: string | undefined
    for (const word of paragraph.split(' ')) {
      const longer: string = line === undefined ? word : `${line} ${word}`
      if (line?.trim() && widthOf(longer) > width) {
        lines.push(line)
        line = word
      } else line = longer
    }
    return [...lines, line ?? '']
  })

/** Columns of a terminal, or 80 where there is none. `COLUMNS` rules. */
export const columnsOf = (stream: { columns?: number | undefined }): number => {
  const given = Number(process.env.COLUMNS)
  return given >= 20 ? given : Math.max(20, stream.columns || 80)
}

/** Columns that a table may take: those of the terminal, and any number where its lines go to a file or a program. */
export const tableWidth = (stream: { isTTY?: boolean; columns?: number | undefined }): number =>
  stream.isTTY || process.env.COLUMNS ? columnsOf(stream) : Number.POSITIVE_INFINITY
