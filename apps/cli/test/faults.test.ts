// biome-ignore-all lint/suspicious/noTemplateCurlyInString: that is how references are written
import { join } from 'node:path'
import { exitCodes } from '@penstock/command-kit'
import { type Aws, type Fault, type FaultRule, startAws } from '@penstock/testkit'
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { Extract } from '../src/commands/extract.ts'
import { Query } from '../src/commands/query.ts'
import { createTestProject, type TestProject } from './project.ts'
import { runCommand } from './run-command.ts'

/*
 * Each fault of the embedded S3 through the command, as a user meets it: once, and the rows are right; for ever, and the
 * exit code, the name of the object and the way out are, and the table stays as it was.
 */

type Outcome = 'succeeds' | { readonly code: number; readonly says: RegExp }

const network = { code: exitCodes.network, says: /t\/2\.csv/ }

/** All kinds but `error`, which is any answer, and `hang`, which costs half a minute each time: see below. */
const faults: Record<
  Exclude<Fault['kind'], 'error' | 'hang'>,
  { readonly fault: Fault; readonly lasting?: Fault; readonly once?: Outcome; readonly forEver: Outcome }
> = {
  latency: { fault: { kind: 'latency', ms: 20 }, forEver: 'succeeds' },
  'slow-down': { fault: { kind: 'slow-down' }, forEver: { code: exitCodes.throttled, says: /t\/2\.csv/ } },
  'internal-error': { fault: { kind: 'internal-error' }, forEver: network },
  reset: { fault: { kind: 'reset' }, forEver: network },
  'reset-body': {
    fault: { kind: 'reset-body', afterBytes: 100 },
    lasting: { kind: 'reset-body', afterBytes: 0 },
    forEver: network,
  },
  'truncate-body': {
    fault: { kind: 'truncate-body', afterBytes: 100 },
    lasting: { kind: 'truncate-body', afterBytes: 0 },
    forEver: network,
  },
  'corrupt-body': {
    fault: { kind: 'corrupt-body', atByte: 100 },
    forEver: { code: exitCodes.data, says: /t\/2\.csv/ },
  },
  'slow-drip': { fault: { kind: 'slow-drip', bytesPerSecond: 50_000 }, forEver: 'succeeds' },
  // Keys of a user do not expire: there is nothing to renew them by.
  'expired-token': {
    fault: { kind: 'expired-token' },
    once: { code: exitCodes.auth, says: /expired/i },
    forEver: { code: exitCodes.auth, says: /expired/i },
  },
  'clock-skew': { fault: { kind: 'clock-skew', ms: 3_600_000 }, forEver: 'succeeds' },
  // Read as it is when it is looked up again; one that never stands still is named.
  'change-object': {
    fault: { kind: 'change-object' },
    forEver: { code: exitCodes.conflict, says: /t\/2\.csv/ },
  },
}

let aws: Aws
let project: TestProject
const objects = 4
const rowsPerObject = 200

const body = (object: number) =>
  `id,text\n${Array.from({ length: rowsPerObject }, (_, row) => `${object * rowsPerObject + row},text ${row}`).join('\n')}`

beforeAll(async () => {
  aws = await startAws()
  aws.s3.createBucket({ name: 'lake' })
  project = await createTestProject(`connections:
  lake:
    connector: source-s3
    region: us-east-1
    bucket: lake
    endpoint: ${aws.endpoint}
    maxAttempts: 3
    auth:
      method: access-key
      accessKeyId: \${env:FAULTS_KEY_ID}
      secretAccessKey: \${env:FAULTS_SECRET}
`)
  vi.stubEnv('FAULTS_KEY_ID', aws.root.accessKeyId)
  vi.stubEnv('FAULTS_SECRET', aws.root.secretAccessKey)
})
afterAll(async () => {
  vi.unstubAllEnvs()
  await aws.close()
  await project.remove()
})

let database: string
let databases = 0
const load = () =>
  runCommand(Extract, 'lake', '--folder', 't/', '--into', database, '--project', project.folder, '--json')
const rows = async () => {
  const { stdout } = await runCommand(
    Query,
    'select count(*) as all_rows, count(distinct id) as ids from t',
    '--from',
    database,
    '--json',
  )
  return JSON.parse(stdout).rows
}
const all = [{ all_rows: objects * rowsPerObject, ids: objects * rowsPerObject }]

beforeEach(async () => {
  aws.faults.clear()
  for (let object = 0; object < objects; object++)
    await aws.s3.putObject({ bucket: 'lake', key: `t/${object}.csv`, body: body(object) })
  database = join(project.folder, `w${databases++}.duckdb`)
  expect((await load()).code).toBe(0)
})

const expectOutcome = async (rule: FaultRule, outcome: Outcome) => {
  aws.faults.add(rule)
  const { code, stdout } = await load()
  expect(aws.faults.list()[0]?.applied).toBeGreaterThan(0)
  if (outcome === 'succeeds') expect([code, JSON.parse(stdout).status]).toEqual([0, 'succeeded'])
  else {
    expect(code).toBe(outcome.code)
    const { error } = JSON.parse(stdout)
    expect(JSON.stringify(error)).toMatch(outcome.says)
    expect(error.hint).toBeTruthy()
  }
  expect(await rows()).toEqual(all)
}

describe.each(Object.entries(faults))('%s', (_kind, { fault, lasting, once = 'succeeds', forEver }) => {
  test('once', () => expectOutcome({ when: { operation: 'GetObject' }, times: 1, fault }, once))
  test('for ever on one object', () =>
    expectOutcome({ when: { operation: 'GetObject', key: 't/2.csv' }, fault: lasting ?? fault }, forEver))
})

test('a request that is never answered is given up and sent again', async () => {
  await expectOutcome({ when: { operation: 'GetObject' }, times: 1, fault: { kind: 'hang' } }, 'succeeds')
}, 120_000)
