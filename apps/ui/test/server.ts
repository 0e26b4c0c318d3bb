import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createRedactor } from '@penstock/command-kit'
import { type AnyConnector, ConnectorError } from '@penstock/core'
import { duckdb } from '@penstock/engine-duckdb'
import { fixtureBucket, fixtureObjects, icebergFixture } from '@penstock/iceberg-fixtures'
import s3 from '@penstock/source-s3'
import { type Aws, startAws } from '@penstock/testkit'
import glue from '@penstock/zero-copy-glue'
import { type RunningUi, startUi } from '../src/index.ts'

const connectors: readonly AnyConnector[] = [s3, glue]

/** The web view of a project of its own over the embedded AWS. */
export interface TestUi {
  readonly aws: Aws
  readonly folder: string
  readonly ui: RunningUi
  /** The project file as it stands. */
  yaml(): Promise<string>
  writeYaml(text: string): Promise<void>
  put(key: string, body: string): Promise<void>
  /** A request of a browser that has the cookie. */
  call(method: string, path: string, body?: unknown): Promise<Answer>
  close(): Promise<void>
}

export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly text: string
  /** The JSON of the answer. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of all kinds
  readonly json: any
}

export const bucket = 'lake'

export const startTestUi = async (): Promise<TestUi> => {
  const aws = await startAws()
  aws.s3.createBucket({ name: bucket })
  aws.s3.createBucket({ name: fixtureBucket })
  for (const { key, path } of fixtureObjects('branches'))
    await aws.s3.putObject({ bucket: fixtureBucket, key, body: await readFile(path) })
  aws.glue.createDatabase({ name: 'sales' })
  aws.glue.createTable({
    database: 'sales',
    name: 'branches',
    metadataLocation: icebergFixture('branches').metadata,
  })
  const folder = await mkdtemp(join(tmpdir(), 'penstock-ui-'))
  const file = join(folder, 'penstock.yaml')
  await writeFile(file, 'connections: {}\n')
  const redactor = createRedactor()
  const loadConnector = async (reference: string) => {
    const found = connectors.find(({ name }) => name === reference)
    if (found) return found
    throw new ConnectorError('config', `There is no connector "${reference}".`)
  }
  const ui = await startUi({
    version: '1.2.3',
    file,
    loadConnector,
    knownConnectors: async () =>
      connectors.map((connector) => ({ reference: connector.name, origin: 'built-in', connector })),
    openEngine: async (
      path,
      { readOnly = false, contained = false, stagingFolder = join(folder, '.staging') },
    ) => duckdb(path, { readOnly, contained, stagingFolder }),
    inPlace: { stagingFolder: join(folder, '.staging') },
    redact: redactor.value,
    addSecrets: redactor.add,
  })
  const cookie = cookieOf(await send(ui.url, 'GET', {}))
  return {
    aws,
    folder,
    ui,
    yaml: () => readFile(file, 'utf8'),
    writeYaml: (text) => writeFile(file, text),
    put: async (key, body) => {
      await aws.s3.putObject({ bucket, key, body: Buffer.from(body) })
    },
    call: (method, path, body) =>
      send(ui.origin + path, method, {
        cookie,
        ...(method === 'GET' ? {} : { origin: ui.origin }),
        ...(body === undefined ? {} : { body: JSON.stringify(body), 'content-type': 'application/json' }),
      }),
    close: async () => {
      await ui.close()
      await aws.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

export const cookieOf = ({ headers }: Answer): string => String(headers['set-cookie']).split(';')[0] ?? ''

/** A request with exactly these headers: `fetch` would not let a test set Host and Origin. */
export const send = (
  url: string,
  method: string,
  { body, ...headers }: Readonly<Record<string, string>>,
): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const sent = request(url, { method, headers }, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk
      })
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          text,
          get json() {
            return JSON.parse(text)
          },
        }),
      )
      response.on('error', reject)
    })
    sent.on('error', reject)
    sent.end(body)
  })

/** A connection as the form sends it, its secret typed in. */
export const draftOf = ({ aws }: TestUi) => ({
  connector: 'source-s3',
  description: 'The lake',
  fields: { region: 'us-east-1', bucket, endpoint: aws.endpoint },
  auth: {
    method: 'access-key',
    accessKeyId: aws.root.accessKeyId,
    secretAccessKey: { typed: aws.root.secretAccessKey },
  },
})

/** Lines of an answer that comes step by step. */
export const lines = (text: string) =>
  text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
