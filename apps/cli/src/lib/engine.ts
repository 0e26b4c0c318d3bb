import type { TableEngine } from '@penstock/core'
import type { ResourceOptions } from '@penstock/runtime'

/** Opens a DuckDB file. The engine is loaded now and not before: most commands don't need it. */
export const openEngine = async (
  path: string,
  options: ResourceOptions & { readOnly?: boolean; contained?: boolean } = {},
): Promise<TableEngine> => {
  const { duckdb } = await import('@penstock/engine-duckdb')
  return duckdb(path, {
    ...(options.memory === undefined ? {} : { memoryLimitBytes: options.memory }),
    ...(options.threads === undefined ? {} : { threads: options.threads }),
    ...(options.stagingFolder === undefined ? {} : { stagingFolder: options.stagingFolder }),
    ...(options.readOnly === undefined ? {} : { readOnly: options.readOnly }),
    ...(options.contained === undefined ? {} : { contained: options.contained }),
  })
}

/** Opens a database for the time of `use`; it is closed however that ends. */
export const withEngine = async <Result>(
  path: string,
  options: ResourceOptions & { readOnly?: boolean },
  use: (engine: TableEngine) => Promise<Result>,
): Promise<Result> => {
  const engine = await openEngine(path, options)
  try {
    return await use(engine)
  } finally {
    await engine.close()
  }
}
