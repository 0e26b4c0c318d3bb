import { type CheckStep, type Connection, toConnectorError } from '@penstock/core'
import { icebergFixture } from '@penstock/iceberg-fixtures'
import type { Aws, PolicyDocument, PolicyStatement } from '@penstock/testkit'
import { describe, expect, test } from 'vitest'
import { zeroCopyGlue } from '../src/index.ts'
import {
  catalogAws,
  connectionTo,
  externalId,
  namespacesOf,
  opened,
  readAll,
  roleWith,
  tablesOf,
  using,
} from './catalog.ts'

const policyOf = ({ config, authMethod, authFields }: Connection): PolicyDocument =>
  zeroCopyGlue.policy?.({ config, authMethod, authFields }, {}).policy as PolicyDocument

const statementsOf = (policy: PolicyDocument): readonly PolicyStatement[] => [policy.Statement].flat()

const without = (policy: PolicyDocument, action: string): PolicyStatement[] =>
  statementsOf(policy).flatMap((statement) => {
    const Action = [statement.Action ?? []].flat().filter((name) => name !== action)
    return Action.length === 0 ? [] : [{ ...statement, Action }]
  })

/** All that the connector does: lists, loads an Iceberg and a Hive table, reads their files. */
const useAll = async (
  connection: Connection,
  names: readonly string[],
  namespace = ['sales'],
): Promise<void> => {
  await namespacesOf(connection)
  await tablesOf(connection, ...namespace)
  for (const name of names)
    await opened(
      connection,
      name,
      async (table, signal) => {
        await readAll(await table.scan({ columns: [], signal }))
      },
      { namespace },
    )
}

const steps = (connection: Connection): Promise<CheckStep[]> =>
  using(connection, async (context) => {
    const found: CheckStep[] = []
    const check = zeroCopyGlue.check(context)
    if (Symbol.asyncIterator in check) for await (const step of check) found.push(step)
    return found
  })

describe.each(['glue-rest', 'glue-api'] as const)('%s', (catalog) => {
  const fields = {
    catalog,
    shares: [{ namespace: 'sales', tables: ['orders_v1', 'events'] }],
    dataLocations: ['s3://fixtures/'],
  }
  const names = ['orders_v1', 'events']

  test('works under exactly its printed policy, with the role and the external id', async () => {
    const aws = await catalogAws()
    const { role, auth } = roleWith(aws, [])
    const connection = connectionTo(aws, { ...fields, auth })
    aws.identities.putRolePolicy(role, policyOf(connection))
    await useAll(connection, names)
    expect((await steps(connection)).map(({ status }) => status)).not.toContain('failed')
    const allowed = new Set(statementsOf(policyOf(connection)).flatMap(({ Action = [] }) => Action))
    const called = new Set(aws.log.entries().flatMap(({ actions }) => actions.map(({ action }) => action)))
    called.delete('sts:AssumeRole')
    for (const action of called) expect(allowed).toContain(action)
    // A table that was not chosen is out of reach for the role too.
    const wider = connectionTo(aws, { catalog, auth })
    await expect(useAll(wider, ['branches'])).rejects.toMatchObject({
      kind: 'permission',
      message: expect.stringContaining(
        'glue:GetTable on arn:aws:glue:eu-central-1:111122223333:table/sales/branches',
      ),
    })
  })

  test('each action that is taken away is named', async () => {
    const aws = await catalogAws()
    const key = connectionTo(aws, fields)
    const needed = [
      'glue:GetDatabases',
      'glue:GetTables',
      'glue:GetTable',
      'glue:GetPartitions',
      's3:GetObject',
      's3:ListBucket',
    ]
    for (const action of catalog === 'glue-rest' ? ['glue:GetCatalog', ...needed] : needed) {
      const { role, auth } = roleWith(aws, [])
      const statements = without(policyOf(key), action)
      aws.identities.putRolePolicy(role, { Version: '2012-10-17', Statement: statements })
      const connection = connectionTo(aws, { ...fields, auth })
      const error = await useAll(connection, names).then(() => undefined, toConnectorError)
      expect(error, action).toMatchObject({
        kind: 'permission',
        message: expect.stringContaining(`${action} on arn:`),
      })
    }
  })

  test('a check names what is missing, and tries what does not need it', async () => {
    const aws = await catalogAws()
    const { role, auth } = roleWith(aws, [])
    const connection = connectionTo(aws, { ...fields, auth })
    aws.identities.putRolePolicy(role, {
      Version: '2012-10-17',
      Statement: without(policyOf(connection), 'glue:GetTables'),
    })
    const found = await steps(connection)
    expect(found.map(({ id, status }) => `${id} ${status}`)).toEqual([
      'credentials passed',
      'role passed',
      'namespaces passed',
      'tables failed',
      'table passed',
      'read passed',
    ])
    expect(found[3]?.error?.message).toContain('glue:GetTables on arn:aws:glue:')
    aws.identities.putRolePolicy(role, {
      Version: '2012-10-17',
      Statement: without(policyOf(connection), 's3:GetObject'),
    })
    const second = await steps(connection)
    expect(second.at(-2)).toMatchObject({ id: 'table', status: 'failed' })
    expect(second.at(-2)?.error?.message).toContain('s3:GetObject on arn:aws:s3:::fixtures/')
  })

  test('a wrong external id is told as such', async () => {
    const aws = await catalogAws()
    const { auth } = roleWith(aws, [])
    const connection = connectionTo(aws, { ...fields, auth: { ...auth, externalId: `${externalId}-no` } })
    const found = await steps(connection)
    expect(found.map(({ id, status }) => `${id} ${status}`).slice(0, 3)).toEqual([
      'credentials passed',
      'role failed',
      'namespaces skipped',
    ])
    expect(found[1]?.error?.hint).toContain('externalId')
  })

  test('a session that ends in between is renewed', async () => {
    const aws = await catalogAws()
    const { role, auth } = roleWith(aws, [{ Effect: 'Allow', Action: '*', Resource: '*' }])
    await opened(connectionTo(aws, { ...fields, auth }), 'orders_v1', async (table, signal) => {
      aws.identities.expireSessions({ role })
      const scan = await table.scan({ columns: [], signal })
      aws.identities.expireSessions({ role })
      expect(await readAll(scan)).toBeGreaterThan(0)
    })
  })

  test('an abort ends the requests at once', async () => {
    const aws = await catalogAws()
    aws.faults.add({ when: { service: 's3' }, fault: { kind: 'hang' } })
    const stop = new AbortController()
    const asked = using(
      connectionTo(aws, fields),
      (context) => zeroCopyGlue.open(context, { namespace: ['sales'], name: 'orders_v1' }, {}),
      { signal: stop.signal },
    )
    await expect.poll(() => aws.log.entries().some(({ service }) => service === 's3')).toBe(true)
    stop.abort()
    await expect(asked).rejects.toMatchObject({ kind: 'cancelled' })
  })
})

test('S3 Tables: the printed policy is enough, and has no right on buckets', async () => {
  const aws: Aws = await catalogAws()
  const { arn, catalog } = aws.glue.createTableBucket({ name: 'daily', region: 'eu-central-1' })
  aws.glue.createDatabase({ name: 'ns', catalog })
  const { auth, role } = roleWith(aws, [])
  aws.glue.createTable({
    database: 'ns',
    name: 'orders',
    catalog,
    metadataLocation: icebergFixture('orders_v1').metadata,
  })
  const fields = { catalog: 's3-tables', warehouse: arn, auth }
  const policy = policyOf(connectionTo(aws, fields))
  expect(JSON.stringify(policy)).not.toContain('arn:aws:s3:::')
  // The fixture's files lie in a bucket of their own here, in AWS in one of S3 Tables.
  const Statement = [
    ...statementsOf(policy),
    { Effect: 'Allow' as const, Action: 's3:GetObject', Resource: '*' },
  ]
  aws.identities.putRolePolicy(role, { Version: '2012-10-17', Statement })
  await useAll(connectionTo(aws, fields), ['orders'], ['ns'])
})

test('no secret in what is shown', async () => {
  const aws = await catalogAws()
  aws.rest.configure({ auth: { kind: 'bearer', token: 'other' } })
  const connection = connectionTo(aws, { catalog: 'rest', token: 'hush-hush-hush' })
  const error = await namespacesOf(connection).catch((reason: unknown) => reason)
  const shown = `${JSON.stringify(connection)} ${String(error)} ${(error as Error).stack} ${JSON.stringify(error)}`
  for (const secret of ['hush-hush-hush', aws.root.secretAccessKey]) expect(shown).not.toContain(secret)
})
