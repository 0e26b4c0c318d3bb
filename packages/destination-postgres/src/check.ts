import { type CheckStep, toConnectorError } from '@penstock/core'
import { type PostgresContext, tlsMode } from './config.ts'
import { translateError } from './errors.ts'
import { ledgerTable } from './ledger.ts'
import { qualified, quoteName } from './names.ts'
import { type Session, withSession } from './session.ts'

interface Probe {
  readonly id: string
  readonly title: string
  readonly run: (session: Session) => Promise<string | undefined>
}

const probeTable = 'penstock_check'

/**
 * The check of a destination by real statements: connect, create a table, write, read, change and delete a row, make a
 * temporary table, use the books. All in one transaction that is rolled back: nothing is left. A step that fails does not
 * keep the others from being tried.
 */
export async function* checkDestination(context: PostgresContext): AsyncGenerator<CheckStep> {
  const steps: CheckStep[] = []
  try {
    await withSession(context, async (session) => {
      steps.push({
        id: 'connect',
        title: 'Connect and log in',
        status: 'passed',
        detail: await describeServer(session, context),
      })
      await session
        .transaction(async () => {
          for (const probe of probesOf(context)) steps.push(await tryProbe(session, probe, context))
          throw rollback
        })
        .catch((error: unknown) => {
          if (error !== rollback) throw error
        })
    })
  } catch (error) {
    steps.push({
      id: steps.length === 0 ? 'connect' : 'session',
      title: steps.length === 0 ? 'Connect and log in' : 'Stay connected',
      status: 'failed',
      error: toConnectorError(error),
    })
  }
  yield* steps
}

const rollback = Symbol('rollback')

const describeServer = async (session: Session, { config }: PostgresContext): Promise<string> => {
  const [row] = await session.query<{ version: string }>(
    "SELECT pg_catalog.current_setting('server_version') AS version",
  )
  const mode = tlsMode(config)
  return `PostgreSQL ${row?.version.split(' ')[0]}, ${mode === 'disable' ? 'without TLS' : `TLS (${mode})`}`
}

const tryProbe = async (session: Session, probe: Probe, context: PostgresContext): Promise<CheckStep> => {
  const { id, title } = probe
  await session.query('SAVEPOINT penstock')
  try {
    const detail = await probe.run(session)
    await session.query('RELEASE SAVEPOINT penstock')
    return { id, title, status: 'passed', ...(detail !== undefined && { detail }) }
  } catch (cause) {
    const error = translateError(cause, context)
    await session.query('ROLLBACK TO SAVEPOINT penstock')
    return { id, title, status: 'failed', error }
  }
}

const probesOf = ({ config: { schema } }: PostgresContext): readonly Probe[] => {
  const table = qualified(schema, probeTable)
  const ledger = qualified(schema, ledgerTable)
  return [
    {
      id: 'schema',
      title: 'Find or create the schema',
      run: async (session) => {
        const rows = await session.query('SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = $1', [schema])
        if (rows.length > 0) return schema
        await session.query(`CREATE SCHEMA ${quoteName(schema)}`)
        return `${schema} is not there yet, and can be created`
      },
    },
    {
      id: 'write',
      title: 'Create a table, and write to it',
      run: async (session) => {
        await session.query(
          `CREATE TABLE ${table} (id integer PRIMARY KEY);
           INSERT INTO ${table} VALUES (1); UPDATE ${table} SET id = 2; DELETE FROM ${table}; DROP TABLE ${table}`,
        )
        return undefined
      },
    },
    {
      id: 'temporary',
      title: 'Create a temporary table, for merge',
      run: async (session) => {
        await session.query(`CREATE TEMPORARY TABLE ${quoteName(probeTable)} (id integer) ON COMMIT DROP`)
        return undefined
      },
    },
    {
      id: 'books',
      title: 'Use the books of former runs',
      run: async (session) => {
        const [row] = await session.query<{ there: boolean }>(
          'SELECT pg_catalog.to_regclass($1) IS NOT NULL AS there',
          [ledger],
        )
        if (!row?.there) return 'none yet'
        await session.query(
          `SELECT 1 FROM ${ledger} LIMIT 1;
           INSERT INTO ${ledger} (export_id, commit_id, export_name, mode, tables) VALUES ('check', 'check', 'check', 'check', '{}');
           UPDATE ${ledger} SET mode = 'check' WHERE export_id = 'check'; DELETE FROM ${ledger} WHERE export_id = 'check'`,
        )
        return undefined
      },
    },
  ]
}
