import { defineFixture } from '@penstock/testkit/conformance'
import actions from '../src/index.ts'
import { startService, token } from './service.ts'

/** What the conformance suite has to know: a service, and runs of each action. */
export default defineFixture(actions, async () => {
  const service = await startService()
  const configAt = (baseUrl: string) => ({ baseUrl, token })
  const open = service.tickets().filter(({ status }) => status === 'open')
  return {
    close: service.close,
    reset: service.reset,
    endpoint: service.url,
    config: configAt,
    wrong: [
      { field: 'token', config: { baseUrl: service.url, token: 'another-token' }, kind: 'auth' },
      { field: 'baseUrl', config: configAt(`${service.url}/nowhere`), kind: 'not-found' },
    ],
    // Add what each release accepted: it has to be accepted for ever.
    formerConfigs: [{ baseUrl: 'https://acme.example.com/api', token: 'a-token' }],
    state: async () => service.tickets(),
    runs: [
      {
        action: 'list-tickets',
        input: { status: 'open' },
        output: { items: open, count: open.length },
        wrong: [{ field: 'status', input: { status: 'lost' }, kind: 'config' }],
      },
      {
        action: 'create-ticket',
        input: { subject: 'Valve leaks', hours: '1.50' },
        wrong: [{ field: 'hours', input: { subject: 'Valve leaks', hours: 'two' }, kind: 'config' }],
      },
      {
        action: 'close-ticket',
        input: { id: 2 },
        wrong: [{ field: 'id', input: { id: 4711 }, kind: 'not-found' }],
      },
    ],
  }
})
