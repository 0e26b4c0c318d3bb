import { DuckDBInstance } from '@duckdb/node-api'
import { ConnectorError } from '@penstock/core'
import { quoteText } from '../sql.ts'
import { corrupt, plainBytes } from './head.ts'
import type { FileGroup } from './inputs.ts'
import type { InputFile, ReadContext } from './reading.ts'
import { findOtherLineEnd, textBytes } from './rewrite.ts'

/** Failures that say nothing about the bytes of a file. */
const notAboutBytes =
  /^(INTERRUPT|Out of Memory|FATAL|INTERNAL|TransactionContext|Catalog|Binder|Parser)|No space left/

/** What read_csv says when a line ends in another way than the lines before it. */
const isLostInText = /CSV Parser state machine reached an invalid state/

/** Code of the error for a file whose lines end in several ways: with `lineEnds: 'mixed'` it can be read. */
export const mixedLineEndsCode = 'MixedLineEnds'

const mixedLineEnds = async (group: FileGroup, read: ReadContext): Promise<ConnectorError | undefined> => {
  const { dialect, rewrite } = group.layout
  if (!dialect || dialect.hasMixedLineEnds) return undefined
  for (const { file } of group.files) {
    const found = await findOtherLineEnd(textBytes(file, rewrite, read.signal), dialect)
    if (!found) continue
    return new ConnectorError(
      'data',
      `${file.url}, line ${found.line}: it ends with ${found.end}, and the lines before it with ${found.firstEnd}.`,
      {
        code: mixedLineEndsCode,
        place: { object: file.url, line: found.line },
        hint: 'Say that line ends are mixed: --line-ends mixed (lineEnds: mixed).',
      },
    )
  }
  return undefined
}

/**
 * What a failed statement over some files failed with, as a `data` error that names the corrupt file, where it is one.
 * The transaction is over by then, so files are looked at again outside of it.
 */
export const blame = async (error: unknown, group: FileGroup, read: ReadContext): Promise<unknown> => {
  if (ConnectorError.isInstance(error) || !(error instanceof Error) || read.signal.aborted) return error
  if (notAboutBytes.test(error.message)) return error
  const mixed = isLostInText.test(error.message) ? await mixedLineEnds(group, read) : undefined
  if (mixed) return mixed
  const message = error.message.split('\n')[0] ?? ''
  for (const input of group.files) {
    const { path, url } = input.file
    if (path === undefined) continue
    if (message.includes(path))
      return corrupt(input.file, new Error(message.replaceAll(path, url).replace(/\.\s*$/, '')))
  }
  for (const input of group.files) {
    const failure = await failureOf(input, read)
    if (failure) return failure
  }
  return error
}

const failureOf = async ({ file }: InputFile, { signal }: ReadContext): Promise<unknown> => {
  try {
    if (file.format.compression !== 'none' && file.format.type !== 'parquet')
      for await (const _chunk of plainBytes(file, signal)) signal.throwIfAborted()
  } catch (error) {
    return error
  }
  if (file.format.type !== 'parquet' || file.path === undefined) return undefined
  const instance = await DuckDBInstance.create(':memory:', { threads: '1' })
  const connection = await instance.connect()
  try {
    await connection.run(`SELECT bit_xor(hash(COLUMNS(*))) FROM read_parquet(${quoteText(file.path)})`)
    return undefined
  } catch (error) {
    return corrupt(file, new Error(String((error as Error).message).split('\n')[0]))
  } finally {
    connection.closeSync()
    instance.closeSync()
  }
}
