import { DuckDBInstance } from '@duckdb/node-api'
import { ConnectorError } from '@penstock/core'
import { quoteText } from '../sql.ts'
import { corrupt, plainBytes } from './head.ts'
import type { FileGroup } from './inputs.ts'
import type { InputFile, ReadContext } from './reading.ts'

/** Failures that say nothing about the bytes of a file. */
const notAboutBytes =
  /^(INTERRUPT|Out of Memory|FATAL|INTERNAL|TransactionContext|Catalog|Binder|Parser)|No space left/

/**
 * What a failed statement over some files failed with, as a `data` error that names the corrupt file, where it is one.
 * The transaction is over by then, so files are looked at again outside of it.
 */
export const blame = async (error: unknown, group: FileGroup, read: ReadContext): Promise<unknown> => {
  if (ConnectorError.isInstance(error) || !(error instanceof Error) || read.signal.aborted) return error
  if (notAboutBytes.test(error.message)) return error
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
