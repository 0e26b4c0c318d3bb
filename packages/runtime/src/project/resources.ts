import type { Resources } from '../extract/extract.ts'
import type { ResourceOptions } from './schema.ts'

/** The limits of a run, from the options that the commands and the project share. */
export const resourcesOf = ({ staging, stagingFolder, concurrency }: ResourceOptions): Resources => ({
  stagingBytes: staging,
  stagingFolder,
  concurrency,
})
