import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { duckdb } from '@penstock/engine-duckdb'
import { s3 } from '@penstock/source-s3'
import { type Aws, startAws } from '@penstock/testkit'

/** An embedded AWS with one bucket, a folder for databases, and what most tests of the whole need. */
export interface Lake {
  readonly aws: Aws
  readonly bucket: string
  readonly folder: string
  readonly database: string
  readonly put: (key: string, body: string | Buffer) => Promise<void>
  readonly remove: (key: string) => Promise<void>
  /** A connection with the root user's keys, or with what `fields` says instead. */
  readonly source: (fields?: Record<string, unknown>) => ReturnType<typeof s3>
  /** All rows of a query as arrays, from a database that nobody has open. */
  readonly rows: (sql: string, database?: string) => Promise<unknown[][]>
  readonly close: () => Promise<void>
}

export const openLake = async (bucket = 'lake'): Promise<Lake> => {
  const folder = await mkdtemp(join(tmpdir(), 'penstock-e2e-'))
  const aws = await startAws()
  await aws.s3.createBucket({ name: bucket })
  const database = join(folder, 'warehouse.duckdb')
  const rows = async (sql: string, path = database) => {
    const engine = await duckdb(path, { readOnly: true })
    try {
      const result = await engine.query(sql)
      const all: unknown[][] = []
      for await (const chunk of result.rows()) all.push(...chunk.map((row) => [...row]))
      return all
    } finally {
      await engine.close()
    }
  }
  return {
    aws,
    bucket,
    folder,
    database,
    put: async (key, body) => void (await aws.s3.putObject({ bucket, key, body })),
    remove: async (key) => void aws.s3.deleteObject(bucket, key),
    source: (fields = {}) =>
      s3({
        region: 'us-east-1',
        bucket,
        endpoint: aws.endpoint,
        forcePathStyle: true,
        maxAttempts: 4,
        auth: { method: 'access-key', ...aws.root },
        ...fields,
      }),
    rows,
    close: async () => {
      await aws.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
}
