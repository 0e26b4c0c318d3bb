import { ConnectorError } from '@penstock/core'
import * as openpgp from 'openpgp'
import { describe, expect, it } from 'vitest'
import { readRecipientKey } from './openpgp.ts'

const userIDs = [{ name: 'Ada', email: 'ada@example.com' }]
const now = new Date('2026-04-14T12:00:00Z')
const created = new Date('2026-01-01T00:00:00Z')

const generate = (options: Partial<openpgp.KeyOptions> = {}) =>
  openpgp.generateKey({ userIDs, date: created, format: 'armored', ...options } as openpgp.KeyOptions & {
    format: 'armored'
  })

const decrypt = async (bytes: Uint8Array, privateKey: string): Promise<Buffer> => {
  const { data } = await openpgp.decrypt({
    message: await openpgp.readMessage({ binaryMessage: bytes }),
    decryptionKeys: await openpgp.readPrivateKey({ armoredKey: privateKey }),
    format: 'binary',
  })
  return Buffer.from(data as Uint8Array)
}

async function* chunked(bytes: Buffer, size: number) {
  for (let start = 0; start < bytes.length; start += size) yield bytes.subarray(start, start + size)
}

const failure = async (text: string, at = now): Promise<ConnectorError> => {
  const error: unknown = await readRecipientKey(text, at).catch((reason: unknown) => reason)
  if (ConnectorError.isInstance(error)) return error
  throw new Error('It did not fail')
}

describe('a key', () => {
  it.each<[string, Partial<openpgp.KeyOptions>]>([
    ['RSA', { type: 'rsa', rsaBits: 2048 }],
    ['Curve25519', { type: 'curve25519' }],
    ['Curve25519 as GnuPG 2.2 has it', { type: 'ecc', curve: 'curve25519Legacy' }],
    ['NIST P-256', { type: 'ecc', curve: 'nistP256' }],
  ])('of %s encrypts a stream, armoured or in base64', async (_, options) => {
    const { publicKey, privateKey } = await generate(options)
    const binary = (await openpgp.readKey({ armoredKey: publicKey })).write()
    const body = Buffer.alloc(300_000, 'row\n')
    for (const text of [publicKey, Buffer.from(binary).toString('base64'), `\n${publicKey}\n`]) {
      const key = await readRecipientKey(text, now)
      expect(key.userId).toBe('Ada <ada@example.com>')
      expect(key.fingerprint).toMatch(/^[0-9A-F]{40,64}$/)
      const encrypted = Buffer.concat(await Array.fromAsync(key.encrypt(chunked(body, 70_000))))
      expect(encrypted.includes('row\nrow')).toBe(false)
      expect((await decrypt(encrypted, privateKey)).equals(body)).toBe(true)
    }
  })

  it('encrypts what is empty', async () => {
    const { publicKey, privateKey } = await generate()
    const key = await readRecipientKey(publicKey, now)
    const encrypted = Buffer.concat(await Array.fromAsync(key.encrypt(chunked(Buffer.alloc(0), 1))))
    expect(await decrypt(encrypted, privateKey)).toHaveLength(0)
  })

  it('that fails to be read on the way fails the stream', async () => {
    const { publicKey } = await generate()
    const key = await readRecipientKey(publicKey, now)
    const broken = async function* () {
      yield Buffer.alloc(10)
      throw new Error('disk')
    }
    await expect(Array.fromAsync(key.encrypt(broken()))).rejects.toThrow('disk')
  })
})

describe('is refused', () => {
  it('expired, and not yet valid', async () => {
    const { publicKey } = await generate({ keyExpirationTime: 86_400 })
    expect(await failure(publicKey)).toMatchObject({
      kind: 'config',
      code: 'InvalidPublicKey',
      message: expect.stringMatching(/Ada.* expired at 2026-01-02T00:00:00/),
    })
    await readRecipientKey(publicKey, new Date('2026-01-01T12:00:00Z'))
    expect((await failure(publicKey, new Date('2025-12-31T00:00:00Z'))).message).toMatch(/from the future/)
  })

  it('revoked', async () => {
    const { publicKey, revocationCertificate } = await generate()
    const { publicKey: revoked } = await openpgp.revokeKey({
      key: await openpgp.readKey({ armoredKey: publicKey }),
      revocationCertificate,
      format: 'armored',
    })
    expect((await failure(revoked)).message).toMatch(/is revoked/)
  })

  it('signing only', async () => {
    const { publicKey } = await generate({ subkeys: [{ sign: true }] })
    expect((await failure(publicKey)).message).toMatch(/no valid key for encryption/)
  })

  it('with a subkey for encryption that has expired', async () => {
    const { publicKey } = await generate({ subkeys: [{ keyExpirationTime: 86_400 }] })
    expect((await failure(publicKey)).message).toMatch(/no valid key for encryption/)
  })

  it('private, without telling it', async () => {
    const { privateKey } = await generate()
    const error = await failure(privateKey)
    expect(error.message).toMatch(/private OpenPGP key/)
    expect(JSON.stringify(error)).not.toContain(privateKey.slice(200, 240))
  })

  it.each([
    ['nonsense', 'not a key at all!'],
    ['empty base64', 'AAAA'],
    ['cut off', '-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nxjMEZZIG'],
  ])('malformed: %s', async (_, text) => {
    expect(await failure(text)).toMatchObject({
      kind: 'config',
      message: expect.stringMatching(/can't be read/),
      hint: expect.stringContaining('gpg --armor --export'),
    })
  })

  it('damaged', async () => {
    const { publicKey } = await generate()
    const bytes = Buffer.from((await openpgp.readKey({ armoredKey: publicKey })).write())
    await failure(bytes.subarray(0, 60).toString('base64'))
    const flipped = Buffer.from(bytes)
    flipped[bytes.length - 20] = (flipped[bytes.length - 20] ?? 0) ^ 1
    expect(await failure(flipped.toString('base64'))).toMatchObject({ code: 'InvalidPublicKey' })
  })
})
