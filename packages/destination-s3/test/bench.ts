import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type CheckStep,
  ConnectorError,
  type ExportCursor,
  type ExportFile,
  type ExportRun,
  type ExportStream,
  type FileLayout,
  type GrowingFile,
  type Leftover,
  type TableSchema,
  text,
  type WritePlan,
  type WriteResult,
  withContext,
} from '@penstock/core'
import { type Aws, startAws } from '@penstock/testkit'
import { accessOf } from '../src/access.ts'
import type { S3Context } from '../src/config.ts'
import type { S3DestinationInput } from '../src/destination.ts'
import { destinationS3, options, type S3ExportOptionsInput, s3Destination } from '../src/index.ts'
import type { HoldLimits } from '../src/write/staged.ts'
import { writeRun } from '../src/write/write.ts'

/** A stream whose files are texts. */
export interface Given {
  readonly name?: string
  readonly files: readonly (
    | string
    | Buffer
    | { body: string | Buffer; partition?: Record<string, string | null>; part?: number }
  )[]
  readonly cursor?: ExportCursor
  readonly schema?: TableSchema
  /** Files that grow, instead of complete ones. */
  readonly growing?: readonly GrowingFile[]
  /** Called before each file is given. */
  readonly before?: (index: number) => Promise<void> | void
}

export interface ExportRequest {
  readonly run?: Partial<ExportRun>
  readonly options?: S3ExportOptionsInput
  readonly streams?: readonly Given[]
  readonly fields?: Partial<S3DestinationInput>
  readonly hold?: HoldLimits
  /** Limit for an answer, in milliseconds: of the access that the run itself works with. */
  readonly answerTimeoutMs?: number
  readonly signal?: AbortSignal
  readonly onProgress?: (event: { files: number; bytes: number; rows: number }) => void
}

/** An embedded AWS with one bucket, and the destination as the runtime would use it. */
export interface Bench {
  readonly aws: Aws
  readonly folder: string
  /** Local files that were given and not released. */
  readonly unreleased: Set<string>
  readonly layouts: FileLayout[]
  readonly notices: string[]
  connection(fields?: Partial<S3DestinationInput>): ReturnType<typeof s3Destination>
  use<Result>(
    run: (context: S3Context) => Promise<Result>,
    fields?: Partial<S3DestinationInput>,
    signal?: AbortSignal,
  ): Promise<Result>
  write(request?: ExportRequest): Promise<WriteResult>
  plan(request?: ExportRequest & { rows?: number }): Promise<WritePlan>
  checkOptions(request?: ExportRequest & { rows?: number }): Promise<void>
  check(fields?: Partial<S3DestinationInput>): Promise<CheckStep[]>
  sweep(dryRun: boolean, fields?: Partial<S3DestinationInput>): Promise<Leftover[]>
  /** Keys of the bucket, without the destination's notes. */
  keys(): string[]
  /** The destination's notes. */
  notes(): string[]
  body(key: string): Promise<string>
}

export const bucket = 'lake'
const schema: TableSchema = { columns: [{ name: 'id', type: text, nullable: true }] }
const loadTime = new Date('2025-04-14T11:23:45.678Z')

let counter = 0
/** A run with a commit id of its own. */
export const aRun = (run: Partial<ExportRun> = {}): ExportRun => ({
  commitId: `20250414-112345-${String(++counter).padStart(6, '0')}`,
  exportId: 'nightly',
  exportName: 'nightly',
  mode: 'append',
  loadTime,
  retried: false,
  ...run,
})

export const openBench = async (): Promise<Bench & AsyncDisposable> => {
  const aws = await startAws({ trustSourceIpHeader: true })
  const folder = await mkdtemp(join(tmpdir(), 'penstock-destination-s3-'))
  aws.s3.createBucket({ name: bucket })
  const unreleased = new Set<string>()
  const layouts: FileLayout[] = []
  const notices: string[] = []
  let files = 0

  const connection: Bench['connection'] = (fields = {}) =>
    s3Destination({
      region: 'us-east-1',
      bucket,
      endpoint: aws.endpoint,
      stsEndpoint: aws.endpoint,
      auth: { method: 'access-key', ...aws.root },
      ...fields,
    })
  const use: Bench['use'] = (run, fields, signal) =>
    withContext(connection(fields), (context) => run(context as S3Context), {
      notice: (message) => void notices.push(message),
      ...(signal ? { signal } : {}),
    })

  const streamOf = (given: Given, index: number): ExportStream => ({
    id: `stream-${index + 1}`,
    name: given.name ?? `orders${index === 0 ? '' : index + 1}`,
    schema: given.schema ?? schema,
    ...(given.cursor ? { cursor: given.cursor } : {}),
    rows: async function* () {},
    ...(given.growing && {
      growingFiles: async function* () {
        yield* given.growing ?? []
      },
    }),
    async *files(layout) {
      layouts.push(layout)
      for (const [position, entry] of given.files.entries()) {
        await given.before?.(position)
        const file = typeof entry === 'object' && 'body' in entry ? entry : { body: entry }
        yield await localFile(file, position + 1)
      }
    },
  })

  const localFile = async (
    file: { body: string | Buffer; partition?: Record<string, string | null>; part?: number },
    part: number,
  ): Promise<ExportFile> => {
    const path = join(folder, `file-${++files}`)
    await writeFile(path, file.body)
    unreleased.add(path)
    const { size } = await stat(path)
    return {
      part: file.part ?? part,
      partition: file.partition ?? {},
      path,
      size,
      rows: String(file.body).split('\n').length - 1,
      release: async () => {
        unreleased.delete(path)
        await rm(path, { force: true })
      },
    }
  }

  const streamsOf = (request: ExportRequest): ExportStream[] =>
    (request.streams ?? [{ files: ['id\n1\n2\n'] }]).map(streamOf)
  const planned = (request: ExportRequest & { rows?: number }) => ({
    run: aRun(request.run),
    options: options.parse(request.options ?? {}),
    streams: streamsOf(request).map(({ files: _files, rows: _rows, ...stream }) => ({
      ...stream,
      rows: request.rows ?? 2,
      estimatedBytes: 100,
    })),
  })

  return {
    aws,
    folder,
    unreleased,
    layouts,
    notices,
    connection,
    use,
    write: (request = {}) =>
      use(
        (context) => {
          const { answerTimeoutMs } = request
          if (answerTimeoutMs !== undefined) accessOf(context, { answerTimeoutMs })
          return writeRun(
            context,
            {
              run: aRun(request.run),
              options: options.parse(request.options ?? {}),
              streams: streamsOf(request),
              onProgress: (event) => request.onProgress?.(event),
            },
            request.hold,
          )
        },
        request.fields,
        request.signal,
      ),
    plan: (request = {}) =>
      use(async (context) => {
        const plan = await destinationS3.plan?.(context, planned(request))
        if (!plan) throw new Error('There is a plan')
        return plan
      }, request.fields),
    checkOptions: (request = {}) =>
      use(async (context) => destinationS3.checkOptions?.(context, planned(request)), request.fields),
    check: (fields) =>
      use((context) => Array.fromAsync(destinationS3.check(context) as AsyncIterable<CheckStep>), fields),
    sweep: (dryRun, fields) =>
      use((context) => Array.fromAsync(destinationS3.sweep?.(context, { dryRun }) ?? []), fields),
    keys: () => aws.s3.listKeys(bucket).filter((key) => !key.includes('.penstock/')),
    notes: () => aws.s3.listKeys(bucket).filter((key) => key.includes('.penstock/')),
    body: async (key) => (await aws.s3.getObject(bucket, key)).toString(),
    [Symbol.asyncDispose]: async () => {
      await aws.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** The ConnectorError that a promise rejects with. */
export const failure = async (promise: Promise<unknown>): Promise<ConnectorError> => {
  try {
    await promise
  } catch (error) {
    if (ConnectorError.isInstance(error)) return error
    throw error
  }
  throw new Error('It did not fail')
}
