export type { DuckDBOptions } from './database.ts'
export { duckdb } from './duckdb.ts'
