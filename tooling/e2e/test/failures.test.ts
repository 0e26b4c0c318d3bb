import { readFile } from 'node:fs/promises'
import { duckdb } from '@penstock/engine-duckdb'
import { extract, runCheck } from '@penstock/runtime'
import type { PolicyDocument } from '@penstock/testkit'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Lake, openLake } from '../src/lake.ts'

/*
 * Wrong credentials, permissions and settings: `check` and `extract` name the cause and the remedy, the kind is right,
 * and the secret is in no error, record or database.
 */

let lake: Lake
const externalId = 'penstock-external-id-1'
const wrongSecret = 'wrongSECRETwrongSECRETwrongSECRETwrong00'

const readAll: PolicyDocument = {
  Statement: [
    {
      Effect: 'Allow',
      Action: ['s3:GetBucketAcl', 's3:GetObject', 's3:ListBucket', 's3:GetBucketLocation'],
      Resource: ['arn:aws:s3:::lake', 'arn:aws:s3:::lake/*'],
    },
  ],
}
const assumeAll: PolicyDocument = {
  Statement: [{ Effect: 'Allow', Action: 'sts:AssumeRole', Resource: '*' }],
}

beforeAll(async () => {
  lake = await openLake()
  await lake.put('t/a.csv', 'id,x\n1,2\n')
})
afterAll(() => lake.close())
beforeEach(() => {
  lake.aws.faults.clear()
})

let users = 0
const user = (policies: PolicyDocument[]) => {
  const { accessKeyId, secretAccessKey } = lake.aws.identities.createUser({
    name: `user-${users++}`,
    policies,
  })
  return { method: 'access-key' as const, accessKeyId, secretAccessKey }
}

const without = (action: string): PolicyDocument => ({
  Statement: [
    {
      Effect: 'Allow',
      Action: ['s3:GetBucketAcl', 's3:GetObject', 's3:ListBucket', 's3:GetBucketLocation'].filter(
        (other) => other !== action,
      ),
      Resource: '*',
    },
  ],
})

const role = (condition: Record<string, Record<string, string>>) => {
  const caller = user([assumeAll])
  const name = `role-${users++}`
  const { arn } = lake.aws.identities.createRole({
    name,
    trustPolicy: {
      Statement: [
        {
          Effect: 'Allow',
          Principal: { AWS: `arn:aws:iam::${lake.aws.account}:root` },
          Action: 'sts:AssumeRole',
          Condition: condition,
        },
      ],
    },
    policies: [readAll],
  })
  return { caller, arn }
}

const attempt = async (fields: Record<string, unknown>) => {
  const source = lake.source(fields)
  const steps = await runCheck(source)
  const engine = await duckdb(lake.database)
  try {
    const record = await extract({ source, tables: [{ folder: 't/', table: 't' }], engine }).catch(
      (error) => ({ status: 'failed', error, tables: [] }),
    )
    return {
      steps,
      error: record.error,
      status: record.status,
      failed: steps.find((step) => step.status === 'failed'),
    }
  } finally {
    await engine.close()
  }
}

interface Case {
  readonly name: string
  readonly fields: () => Record<string, unknown>
  readonly kind: string
  /** What message and hint have to say. */
  readonly says: RegExp
  readonly fault?: Parameters<Lake['aws']['faults']['add']>[0]
}

const cases: Case[] = [
  {
    name: 'wrong secret',
    fields: () => ({ auth: { ...user([readAll]), secretAccessKey: wrongSecret } }),
    kind: 'auth',
    says: /secret/i,
  },
  {
    name: 'unknown access key',
    fields: () => ({
      auth: { method: 'access-key', accessKeyId: 'AKIAUNKNOWNUNKNOWN00', secretAccessKey: wrongSecret },
    }),
    kind: 'auth',
    says: /access key/i,
  },
  {
    name: 'wrong external id',
    fields: () => {
      const { caller, arn } = role({ StringEquals: { 'sts:ExternalId': externalId } })
      const { method: _, ...keys } = caller
      return {
        stsEndpoint: lake.aws.endpoint,
        auth: { method: 'assumed-role', roleArn: arn, externalId: 'another-id', source: keys },
      }
    },
    kind: 'permission',
    says: /external ?id/i,
  },
  {
    name: 'no s3:ListBucket',
    fields: () => ({ auth: user([without('s3:ListBucket')]) }),
    kind: 'permission',
    says: /s3:ListBucket/,
  },
  {
    name: 'no s3:GetObject',
    fields: () => ({ auth: user([without('s3:GetObject')]) }),
    kind: 'permission',
    says: /s3:GetObject/,
  },
  {
    name: 'missing bucket',
    fields: () => ({ bucket: 'no-such-bucket-here' }),
    kind: 'not-found',
    says: /no-such-bucket-here/,
  },
  { name: 'wrong region', fields: () => ({ region: 'eu-west-1' }), kind: 'config', says: /us-east-1/ },
  {
    name: 'clock skew',
    fields: () => ({}),
    kind: 'auth',
    says: /clock/i,
    fault: { fault: { kind: 'clock-skew', ms: 3_600_000 } },
  },
  {
    name: 'expired token',
    fields: () => ({}),
    kind: 'auth',
    says: /expired/i,
    fault: { fault: { kind: 'expired-token' } },
  },
  {
    name: 'denied IP',
    fields: () => ({
      auth: user([
        readAll,
        {
          Statement: [
            {
              Effect: 'Deny',
              Action: '*',
              Resource: '*',
              Condition: { NotIpAddress: { 'aws:SourceIp': '203.0.113.0/24' } },
            },
          ],
        },
      ]),
    }),
    kind: 'permission',
    says: /allow-list|deny|IP/i,
  },
]

describe.each(cases)('$name', ({ fields, kind, says, fault }) => {
  test('is named, with the remedy, by check and by extract', async () => {
    if (fault) lake.aws.faults.add(fault)
    const { failed, error, status } = await attempt(fields())
    if (fault?.fault.kind === 'clock-skew' && status === 'succeeded') return // The clock was corrected by the server's.
    expect(failed?.error?.kind).toBe(kind)
    expect(`${failed?.error?.message} ${failed?.error?.hint}`).toMatch(says)
    expect(error?.kind).toBe(kind)
    expect(`${error?.message} ${error?.hint}`).toMatch(says)
  })
})

test('no secret is in any error, record or database', async () => {
  const auth = { ...user([readAll]), secretAccessKey: wrongSecret }
  const { steps, error } = await attempt({ auth })
  const ok = await attempt({})
  expect(ok.status).toBe('succeeded')
  const told = [JSON.stringify(steps), JSON.stringify(error), String(error?.stack), JSON.stringify(ok)].join()
  const database = await readFile(lake.database, 'latin1')
  for (const secret of [wrongSecret, lake.aws.root.secretAccessKey]) {
    expect(told).not.toContain(secret)
    expect(database).not.toContain(secret)
  }
})
