import type { Database } from '../database.ts'
import { quoteText } from '../sql.ts'

/**
 * Closes a database to the outside, for good: from now on SQL reads and writes no file but those of the staging folder,
 * loads no extension, attaches no database and changes no global setting. Loads and exports work on: what they touch is
 * in the staging folder.
 */
export const sealDatabase = async (database: Database): Promise<void> => {
  const connection = await database.connect()
  try {
    for (const statement of [
      // Local files of a query appear once and vanish with it: DuckDB need not keep their bytes.
      'SET GLOBAL enable_external_file_cache = false',
      `SET GLOBAL allowed_directories = [${quoteText(`${database.staging.path}/`)}]`,
      'SET GLOBAL enable_external_access = false',
      'SET GLOBAL lock_configuration = true',
    ])
      await connection.run(statement)
  } finally {
    database.disconnect(connection)
  }
}
