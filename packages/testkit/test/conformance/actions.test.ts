import { afterAll, beforeAll } from 'vitest'
import { type ActionsOptions, testActions } from '../../src/conformance/index.ts'
import { describeSuite } from '../../src/conformance/vitest.ts'
import { describeMutants, type Mutant } from './mutants.ts'
import { apiToken, blindToken, type Shop, startShop } from './shop.ts'
import { type ActionMutation, type Notes, shopActions, shopNotes } from './shop-actions.ts'
import { useMutants } from './shop-client.ts'

const notes = shopNotes()
let shop: Shop
beforeAll(async () => {
  shop = await startShop(1, notes.route)
})
afterAll(() => shop.close())

const optionsFor = (own: () => Shop, { all }: Notes): ActionsOptions => {
  const configAt = (url: string, token = apiToken) => ({ url, token })
  return {
    get endpoint() {
      return own().url
    },
    config: (url: string) => configAt(url),
    get wrong() {
      return [{ field: 'token', config: configAt(own().url, 'wrong-token-77'), kind: 'auth' as const }]
    },
    formerConfigs: [{ url: 'https://shop.example.com', token: apiToken }],
    state: async () => [...all, own().writes.length],
    reset: () => {
      all.clear()
      all.set('first', '1').set('second', '2')
    },
    runs: [
      { action: 'list', input: {}, output: { items: ['first', 'second'] } },
      {
        action: 'put',
        input: () => ({ name: 'third', text: '3' }),
        output: { items: ['third'] },
        dryRun: { name: 'third', text: '3', dryRun: true },
        wrong: [{ field: 'name', input: { name: '', text: '3' }, kind: 'config' }],
      },
    ],
    underPolicy: async ({ policy }) =>
      configAt(own().url, (policy as { may: string[] }).may.length > 0 ? apiToken : blindToken),
    patienceMs: 5_000,
  }
}

const sound = testActions(
  shopActions(),
  optionsFor(() => shop, notes),
)
describeSuite(sound)

const mutants: readonly Mutant<ActionMutation>[] = [
  ...useMutants('run/cancelled'),
  { mutation: 'two-of-one-name', caughtBy: 'actions/names' },
  { mutation: 'silent-input', caughtBy: 'actions/descriptions' },
  { mutation: 'argument-of-nothing', caughtBy: 'actions/arguments' },
  { mutation: 'output-says-nothing', caughtBy: 'actions/json-schema' },
  { mutation: 'example-refused', caughtBy: 'actions/examples' },
  { mutation: 'any-input', caughtBy: 'actions/unknown-fields' },
  { mutation: 'output-misfits', caughtBy: 'run/list', also: ['run/emitted'] },
  { mutation: 'other-output', caughtBy: 'run/put' },
  { mutation: 'emits-too-few', caughtBy: 'run/emitted' },
  { mutation: 'emits-nothing', caughtBy: 'run/emitted' },
  { mutation: 'list-writes', caughtBy: 'run/read-only' },
  { mutation: 'dry-run-writes', caughtBy: 'run/dry-run' },
  { mutation: 'adds-each-time', caughtBy: 'run/repeated' },
  { mutation: 'errors-without-kind', caughtBy: 'run/errors' },
  { mutation: 'list-needs-more', caughtBy: 'policy/list' },
  { mutation: 'put-needs-more', caughtBy: 'policy/put' },
]

describeMutants(sound, mutants, async (mutation) => {
  const ownNotes = shopNotes()
  const own = await startShop(1, ownNotes.route)
  const options = optionsFor(() => own, ownNotes)
  return { suite: testActions(shopActions(mutation), options), close: own.close }
})
