import { startPostgres } from '@penstock/postgres-fixture'
import { defineFixture } from '@penstock/testkit/conformance'
import { destinationPostgres } from '../src/index.ts'
import { quoteName } from '../src/names.ts'

const noHttp =
  'It speaks the protocol of PostgreSQL, not HTTP, which the proxy of the suite puts its faults into.'
const cutByOwnTests =
  'The proxy of the suite speaks HTTP: test/faults.test.ts cuts the connection of PostgreSQL at many bytes.'

/** A role that owns nothing, in a schema of the superuser. */
export default defineFixture(destinationPostgres, async () => {
  const server = await startPostgres()
  const { host, port, user, password, database } = server
  await server.query('CREATE SCHEMA sales')
  await server.query("CREATE TABLE sales.foreign_table AS SELECT 1 AS id, 'not ours' AS name")
  const auth = { method: 'password' as const, user, password }
  const configAt = (endpoint: string) => {
    const url = new URL(endpoint)
    return { host: url.hostname, port: Number(url.port), database, schema: 'sales', auth }
  }
  const endpoint = `tcp://${host}:${port}`
  const working = configAt(endpoint)
  const tables = async () => {
    const { rows } = await server.query(
      "SELECT relname FROM pg_class WHERE relnamespace = 'sales'::regnamespace",
    )
    return rows.map(({ relname }) => String(relname)).sort()
  }
  return {
    close: () => server.close(),
    endpoint,
    config: configAt,
    large: working,
    wrong: [
      {
        field: 'password',
        config: { ...working, auth: { ...auth, password: 'wrong-password' } },
        kind: 'auth',
      },
      { field: 'user', config: { ...working, auth: { ...auth, user: 'nobody' } }, kind: 'auth' },
      { field: 'database', config: { ...working, database: 'nowhere' }, kind: 'not-found' },
      { field: 'port', config: { ...working, port: 1 }, kind: 'network' },
      { field: 'tls', config: { ...working, tls: 'verify-full' }, kind: 'config' },
      { field: 'schema', config: { ...working, schema: 'x'.repeat(64) }, kind: 'config' },
    ],
    formerConfigs: [{ host: 'db', database: 'dw', auth: { method: 'password', user: 'u', password: 'p' } }],
    state: tables,
    read: async (stream) => {
      if (!(await tables()).includes(stream)) return []
      const { rows: columns } = await server.query(
        'SELECT attname AS name FROM pg_attribute WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped',
        [`sales.${quoteName(stream)}`],
      )
      const list = columns.map(({ name }) => `${quoteName(name)}::text`).join(', ')
      return (await server.query(`SELECT ${list} FROM sales.${quoteName(stream)}`)).rows
    },
    clear: async () => {
      for (const name of await tables())
        if (!name.startsWith('foreign') && !name.endsWith('_pkey'))
          await server.query(`DROP TABLE IF EXISTS sales.${quoteName(name)}`)
    },
    foreign: async () => (await server.query('SELECT * FROM sales.foreign_table')).rows,
    underPolicy: async ({ policy }) => {
      await server.query("CREATE ROLE loader LOGIN PASSWORD 'loader-password'")
      // The policy is for the user of the connection; here it is another one who gets the same rights.
      await server.query(String(policy).replaceAll(/TO "postgres"/g, 'TO loader'))
      return { ...working, auth: { method: 'password', user: 'loader', password: 'loader-password' } }
    },
    skip: {
      'faults/unavailable': noHttp,
      'faults/internal-error': noHttp,
      'faults/too-many-requests': noHttp,
      'faults/reset': cutByOwnTests,
      'faults/reset-body': cutByOwnTests,
      'faults/truncated-body': cutByOwnTests,
      'faults/slow': noHttp,
    },
  }
})
