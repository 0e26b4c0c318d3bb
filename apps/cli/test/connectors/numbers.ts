import { ConnectorError, defineAuth, defineSource, secret, table } from '@penstock/core'
import { z } from 'zod'

const token = defineAuth({
  id: 'token',
  title: 'Token',
  recommended: true,
  fields: z.strictObject({
    user: z.string().meta({ title: 'User' }),
    token: secret().meta({ title: 'Token' }),
  }),
  resolve: ({ token }) => token.reveal(),
})

const role = defineAuth({
  id: 'role',
  title: 'Role',
  fields: z.strictObject({ roleArn: z.string(), externalId: z.string().min(2), token: secret().optional() }),
  resolve: () => 'role',
})

/** A source of rows without a server, for tests of the command line. Fails in the ways that its config asks for. */
export default defineSource({
  name: 'numbers',
  title: 'Numbers',
  config: z.strictObject({
    count: z.int().min(0).describe('Rows'),
    delayMs: z.int().default(0).describe('Delay of a page, ms'),
    failWith: z.string().optional().describe('Message of a failure'),
  }),
  auth: [token, role],
  async *check({ config, auth }) {
    yield { id: 'credentials', title: 'Credentials', status: 'passed', detail: 'as somebody' }
    if (config.failWith !== undefined) {
      const error = new ConnectorError('permission', `${config.failWith} (${auth})`, {
        hint: 'Allow it.',
        code: 'Denied',
      })
      yield { id: 'read', title: 'Read', status: 'failed', error }
    }
    yield { id: 'rest', title: 'The rest', status: 'skipped', detail: 'not needed' }
  },
  tables: ({ config, auth, signal }) =>
    ['small', 'big'].map((name) =>
      table({
        name,
        row: z.object({ id: z.int(), text: z.string().nullable(), amount: z.number() }),
        key: ['id'],
        cursor: 'id',
        async *read() {
          if (config.failWith !== undefined)
            throw new ConnectorError('network', `${config.failWith} (${auth})`)
          for (let id = 0; id < config.count; id += 100) {
            if (config.delayMs > 0) await new Promise((resolve) => setTimeout(resolve, config.delayMs))
            signal.throwIfAborted()
            const length = Math.min(100, config.count - id)
            yield Array.from({ length }, (_, index) => ({
              id: id + index,
              text: index % 10 === 0 ? null : `row ${id + index}`,
              amount: (id + index) / 4,
            }))
          }
        },
      }),
    ),
  policy: ({ authMethod, authFields }, options) => ({
    policy: { Allow: 'numbers', ...options },
    ...(authMethod === 'role'
      ? { trust: { ExternalId: (authFields as { externalId: string }).externalId } }
      : {}),
  }),
})
