import { ConnectorError, type CsvFormat } from '@penstock/core'

/** How to read delimited text, with nothing left to guess. */
export interface Dialect {
  readonly delimiter: string
  readonly quote: string
  readonly escape: string
  readonly header: boolean
  readonly comment: string
  /** Lines before the header: those that the user says, and blank lines and comments after them. */
  readonly skipLines: number
  /** How many of these are comments: DuckDB does not count them. */
  readonly skippedComments: number
  /** Lines end in several ways: line ends outside quotes are made alike while reading. */
  readonly hasMixedLineEnds: boolean
  /**
   * How records end, where DuckDB would take the first line break of the file for it although that one is in quotes.
   */
  readonly newLine?: string
  readonly nullStrings: readonly string[]
  readonly encoding: 'utf-8' | 'utf-16le' | 'utf-16be' | 'latin1'
}

const candidates = [',', ';', '\t', '|']

/** Encoding by byte order mark, else what the user says, else UTF-8. */
const encodingOf = (head: Buffer, format: CsvFormat): Dialect['encoding'] => {
  if (head[0] === 0xff && head[1] === 0xfe) return 'utf-16le'
  if (head[0] === 0xfe && head[1] === 0xff) return 'utf-16be'
  if (format.encoding === 'utf-16') return 'utf-16le'
  return format.encoding === 'latin-1' ? 'latin1' : 'utf-8'
}

/** The beginning as text, without a byte order mark. */
export const decodeHead = (head: Buffer, encoding: Dialect['encoding']): string => {
  const label = { latin1: 'latin1', 'utf-8': 'utf-8', 'utf-16le': 'utf-16le', 'utf-16be': 'utf-16be' }[
    encoding
  ]
  return new TextDecoder(label).decode(head)
}

/**
 * The dialect of a file: what the user says, else what its beginning shows. The delimiter is the candidate that cuts
 * the first records into the same count of fields, more than one. There is a header unless a cell of the first record
 * is empty or looks like a number or a date.
 */
export const detectDialect = (head: Buffer, format: CsvFormat, isWhole: boolean): Dialect => {
  const encoding = encodingOf(head, format)
  const quote = format.quote ?? '"'
  const base = {
    quote,
    escape: format.escape ?? quote,
    comment: format.comment ?? '',
    skipLines: format.skipLines ?? 0,
    skippedComments: 0,
    hasMixedLineEnds: format.lineEnds === 'mixed',
    nullStrings: format.nullStrings ?? [''],
    encoding,
  }
  const text = decodeHead(head, encoding)
  const delimiter = format.delimiter ?? detectDelimiter(text, base, isWhole)
  const dialect = { ...base, delimiter, header: true }
  refuseNullStrings(dialect)
  const ends: string[] = []
  const first = parseRecords(text, dialect, 1, isWhole, (end) => ends.push(end))[0] ?? []
  const header = format.header ?? first.every(looksLikeName)
  const newLine = ends.length > 0 && base.hasMixedLineEnds ? '\n' : ends[0]
  const isHidden = newLine !== undefined && newLine !== text.match(/\r\n|\n|\r/)?.[0]
  return { ...dialect, header, ...linesBefore(text, dialect, header), ...(isHidden && { newLine }) }
}

/** DuckDB's reader takes no null text with a character that has a meaning of its own. */
const refuseNullStrings = (
  dialect: Pick<Dialect, 'nullStrings' | 'quote' | 'escape' | 'delimiter'>,
): void => {
  const { nullStrings, quote, delimiter } = dialect
  const special = [delimiter, ...(quote === '' ? [] : [quote, dialect.escape])]
  for (const text of nullStrings) {
    const found = special.find((character) => character !== '' && text.includes(character))
    if (found === undefined) continue
    const what = found === delimiter ? 'delimiter' : found === quote ? 'quote' : 'escape character'
    throw new ConnectorError(
      'config',
      `The null text ${JSON.stringify(text)} holds ${JSON.stringify(found)}, the ${what} of the file.`,
      {
        code: 'CsvOptions',
        hint: `Give another ${what}, or leave this text out of nullStrings and make it null in SQL: nullif(column, ...).`,
      },
    )
  }
}

const lineEnd = /\r\n|\n|\r/g

/** Beginnings of lines, one after the other. */
function* lineStarts(text: string): Generator<number> {
  for (let start = 0; start < text.length; start = lineEnd.lastIndex) {
    yield start
    lineEnd.lastIndex = start
    if (!lineEnd.exec(text)) return
  }
}

/** The reader takes the first line that it does not skip for the header, also a blank one. */
const linesBefore = (
  text: string,
  { skipLines: given, comment }: Dialect,
  header: boolean,
): Pick<Dialect, 'skipLines' | 'skippedComments'> => {
  let skipLines = 0
  let skippedComments = 0
  for (const start of lineStarts(text)) {
    const isBlank = text[start] === '\n' || text[start] === '\r'
    const isComment = comment !== '' && text.startsWith(comment, start)
    if (skipLines >= given && !(header && (isBlank || isComment))) break
    skipLines++
    if (isComment) skippedComments++
  }
  return { skipLines, skippedComments }
}

const looksLikeName = (cell: string): boolean =>
  !/^\s*[-+]?[\d.,]+(e[-+]?\d+)?\s*$/i.test(cell) && !/^\d{4}-\d{2}-\d{2}/.test(cell)

const detectDelimiter = (
  text: string,
  base: Omit<Dialect, 'delimiter' | 'header'>,
  isWhole: boolean,
): string => {
  let best = { delimiter: ',', score: 0 }
  for (const delimiter of candidates) {
    const records = parseRecords(text, { ...base, delimiter, header: true }, 50, isWhole)
    const fields = records[0]?.length ?? 0
    if (fields < 2) continue
    const even = records.filter((record) => record.length === fields).length / records.length
    const score = even * 1_000 + Math.min(fields, 900)
    if (score > best.score) best = { delimiter, score }
  }
  return best.delimiter
}

/**
 * First records of delimited text, cells unquoted: for the header and for guesses about the dialect, never for data.
 * Without `isWhole` an unfinished last record is left out, unless it is the only one. `onEnd` gets the line end of each.
 */
export const parseRecords = (
  text: string,
  dialect: Dialect,
  count: number,
  isWhole = true,
  onEnd: (lineEnd: string) => void = () => {},
): string[][] => {
  const { delimiter, quote, escape: escapeMark } = dialect
  const records: string[][] = []
  let position = [...lineStarts(text)][dialect.skipLines] ?? text.length
  let cells: string[] = []
  let cell = ''
  let wasQuoted = false
  const endRecord = () => {
    cells.push(cell)
    const isBlank = cells.length === 1 && cell === '' && !wasQuoted
    const isComment = dialect.comment !== '' && (cells[0] ?? '').startsWith(dialect.comment)
    if (!isBlank && !isComment) records.push(cells)
    cells = []
    cell = ''
    wasQuoted = false
  }
  while (position < text.length && records.length < count) {
    if (quote !== '' && cell === '' && !wasQuoted && text.startsWith(quote, position)) {
      wasQuoted = true
      position += 1
      for (; position < text.length; position++) {
        const character = text[position] ?? ''
        const next = text[position + 1] ?? ''
        if (character === escapeMark && (next === quote || (next === escapeMark && escapeMark !== quote))) {
          cell += next
          position++
        } else if (character === quote) break
        else cell += character
      }
      position += 1
    } else if (text.startsWith(delimiter, position)) {
      cells.push(cell)
      cell = ''
      wasQuoted = false
      position += delimiter.length
    } else if (text[position] === '\n' || text[position] === '\r') {
      const end = text[position] === '\r' && text[position + 1] === '\n' ? '\r\n' : (text[position] ?? '')
      position += end.length
      onEnd(end)
      endRecord()
    } else cell += text[position++]
  }
  if (
    records.length < count &&
    (isWhole || records.length === 0) &&
    (cell !== '' || cells.length > 0 || wasQuoted)
  )
    endRecord()
  return records
}

/** Distinct column names: an empty one becomes `columnN`, a repeated one (case doesn't count) gets `_1`, `_2` ... */
export const distinctNames = (names: readonly string[]): string[] => {
  const taken = new Set(names.map((name) => name.trim().toLowerCase()).filter((name) => name !== ''))
  const used = new Set<string>()
  return names.map((given, index) => {
    const name = given.trim() === '' ? `column${index + 1}` : given.trim()
    if (!used.has(name.toLowerCase())) {
      used.add(name.toLowerCase())
      return name
    }
    for (let suffix = 1; ; suffix++) {
      const candidate = `${name}_${suffix}`
      if (used.has(candidate.toLowerCase()) || taken.has(candidate.toLowerCase())) continue
      used.add(candidate.toLowerCase())
      return candidate
    }
  })
}
