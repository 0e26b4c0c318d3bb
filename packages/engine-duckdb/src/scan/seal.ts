import { contain, type Database } from '../database.ts'
import { firstRow } from '../sql.ts'

/**
 * Closes a database to the outside, for good: from now on SQL reads and writes no file but those of the staging folder,
 * loads no extension, attaches no database file and changes no global setting. Loads and exports work on: what they
 * touch is in the staging folder.
 */
export const sealDatabase = async (database: Database): Promise<void> => {
  const connection = await database.connect()
  try {
    // Local files of a query appear once and vanish with it: DuckDB need not keep their bytes.
    await connection.run('SET GLOBAL enable_external_file_cache = false')
    const [isOpen] = (await firstRow(connection, "SELECT current_setting('enable_external_access')")) ?? []
    if (isOpen === true) await contain(connection, [database.staging.path])
    await connection.run('SET GLOBAL lock_configuration = true')
  } finally {
    database.disconnect(connection)
  }
}
