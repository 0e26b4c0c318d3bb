import { defineFixture } from '@penstock/testkit/conformance'
import zeroCopy from '../src/index.ts'
import { powerlessToken, startService, token } from './service.ts'

/** What the conformance suite has to know: a service, configurations that work, and some that do not. */
export default defineFixture(zeroCopy, async () => {
  const service = await startService()
  const configAt = (baseUrl: string) => ({ baseUrl, token })
  const ticketsOf = (project: string) => service.tickets().filter((ticket) => ticket.project === project)
  return {
    close: service.close,
    endpoint: service.url,
    config: configAt,
    wrong: [
      { field: 'token', config: { baseUrl: service.url, token: 'another-token' }, kind: 'auth' },
      { field: 'baseUrl', config: configAt(`${service.url}/nowhere`), kind: 'not-found' },
    ],
    // Add what each release accepted: it has to be accepted for ever.
    formerConfigs: [{ baseUrl: 'https://acme.example.com/api', token: 'a-token' }],
    state: async () => service.tickets(),
    expected: { 'north.tickets': ticketsOf('north'), 'south.tickets': ticketsOf('south') },
    forbidden: { baseUrl: service.url, token: powerlessToken },
  }
})
