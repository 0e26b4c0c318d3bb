import { expect, test } from 'vitest'
import type { AwsCredentials } from './authentication.ts'
import { refreshingProvider } from './refreshing.ts'

const minute = 60_000

/** A provider of hour-long credentials, on a clock that the test moves. */
const setUp = () => {
  let now = 0
  let fetched = 0
  let broken = false
  const fetch = async (): Promise<AwsCredentials> => {
    fetched++
    const serial = fetched
    await Promise.resolve()
    if (broken) throw new Error(`no credentials (${serial})`)
    return {
      accessKeyId: `key-${serial}`,
      secretAccessKey: 's',
      expiration: new Date(now + 60 * minute),
    }
  }
  const provider = refreshingProvider(fetch, () => new Date(now))
  return {
    provider,
    key: async () => (await provider()).accessKeyId,
    at: (minutes: number) => {
      now = minutes * minute
    },
    break: (value: boolean) => {
      broken = value
    },
    fetched: () => fetched,
    settle: () => new Promise((resolve) => setImmediate(resolve)),
  }
}

test('credentials are fetched once for all that ask at the same time', async () => {
  const { provider, fetched } = setUp()
  const all = await Promise.all(Array.from({ length: 20 }, () => provider()))
  expect(new Set(all).size).toBe(1)
  expect(fetched()).toBe(1)
})

test('they are kept, and renewed in the background five minutes before they end', async () => {
  const { key, at, settle } = setUp()
  expect(await key()).toBe('key-1')
  at(54)
  expect(await key()).toBe('key-1')
  at(56)
  expect(await key()).toBe('key-1')
  await settle()
  expect(await key()).toBe('key-2')
})

test('in the last minute nobody gets the old ones', async () => {
  const { key, at } = setUp()
  await key()
  at(59.5)
  expect(await Promise.all([key(), key()])).toEqual(['key-2', 'key-2'])
})

test('a renewal that fails is no error as long as the old ones hold, and is tried again', async () => {
  const { key, at, settle, fetched, ...control } = setUp()
  await key()
  control.break(true)
  at(56)
  await key()
  await settle()
  expect(await key()).toBe('key-1')
  expect(fetched()).toBe(2)
  at(57)
  control.break(false)
  await key()
  await settle()
  expect(await key()).toBe('key-3')
})

test('a failure at the end is an error, and not for ever', async () => {
  const { key, at, ...control } = setUp()
  await key()
  at(60)
  control.break(true)
  await expect(key()).rejects.toThrow('no credentials (2)')
  control.break(false)
  expect(await key()).toBe('key-3')
})

test('rejected credentials are renewed once, whoever reports them', async () => {
  const { provider, fetched } = setUp()
  const rejected = await provider()
  const renewed = await Promise.all([provider({ rejected }), provider({ rejected })])
  expect(renewed.map(({ accessKeyId }) => accessKeyId)).toEqual(['key-2', 'key-2'])
  expect((await provider({ rejected })).accessKeyId).toBe('key-2')
  expect(fetched()).toBe(2)
})
