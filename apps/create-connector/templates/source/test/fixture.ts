import { defineFixture } from '@penstock/testkit/conformance'
import source from '../src/index.ts'
import { startService, token } from './service.ts'

/** What the conformance suite has to know: a service, configurations that work, and some that do not. */
export default defineFixture(source, async () => {
  const service = await startService()
  const configAt = (baseUrl: string) => ({ baseUrl, token })
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
    grow: async () => void service.add('Later'),
    expected: { tickets: service.tickets() },
    empty: configAt(`${service.url}/empty`),
    large: configAt(`${service.url}/endless`),
  }
})
