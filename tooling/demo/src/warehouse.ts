import type { RunRecord } from '@penstock/core'
import { duckdb } from '@penstock/engine-duckdb'
import { DemoFailure } from './terminal.ts'

/** Looks into the database that the commands wrote, without them. */
export interface Warehouse {
  /** First value of a query, as text. */
  value(sql: string): Promise<string>
  /** The newest run that the database remembers. */
  lastRun(): Promise<RunRecord>
}

export const warehouseAt = (path: string): Warehouse => {
  const read = async <T>(look: (engine: Awaited<ReturnType<typeof duckdb>>) => Promise<T>): Promise<T> => {
    const engine = await duckdb(path, { readOnly: true })
    try {
      return await look(engine)
    } finally {
      await engine.close()
    }
  }
  return {
    value: (sql) =>
      read(async (engine) => {
        const result = await engine.query(sql)
        for await (const rows of result.rows()) for (const row of rows) return String(row[0])
        throw new DemoFailure(`No row: ${sql}`)
      }),
    lastRun: () =>
      read(async (engine) => {
        const [run] = await engine.runs({ limit: 1 })
        if (!run) throw new DemoFailure('The database remembers no run')
        return run
      }),
  }
}
