import type { TableEngine } from '@penstock/core'
import type { OpenedPipeline } from '../project/pipeline.ts'
import type { PipelineContext } from './context.ts'

/** The database of a run. */
export interface Engines {
  readonly withEngine: <Result>(
    contained: boolean,
    use: (engine: TableEngine) => Promise<Result>,
  ) => Promise<Result>
  close(): Promise<void>
}

/**
 * Opens the database for each step anew, so that nobody is kept out of it while the run waits or does something else.
 * One in memory stays open, since its tables are gone with it, and is contained from the beginning.
 */
export const createEngines = ({ into, resources }: OpenedPipeline, context: PipelineContext): Engines => {
  let memory: Promise<TableEngine> | undefined
  const path = into ?? ':memory:'
  return Object.freeze({
    withEngine: async <Result>(contained: boolean, use: (engine: TableEngine) => Promise<Result>) => {
      if (path === ':memory:') {
        memory ??= context.openEngine(path, { ...resources, contained: true })
        return use(await memory)
      }
      const engine = await context.openEngine(path, { ...resources, contained })
      try {
        return await use(engine)
      } finally {
        await engine.close()
      }
    },
    close: async () => {
      const engine = await memory?.catch(() => undefined)
      await engine?.close()
    },
  })
}
