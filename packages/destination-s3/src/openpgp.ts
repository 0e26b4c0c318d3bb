import { ConnectorError } from '@penstock/core'
import type { PublicKey } from 'openpgp'

/** A key that files can be encrypted for. */
export interface RecipientKey {
  /** Fingerprint, of the whole key. */
  readonly fingerprint: string
  readonly userId: string | undefined
  /** Encrypts a stream of bytes; nothing is held but a few buffers. */
  encrypt(bytes: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array>
}

const invalid = (message: string, hint: string, cause?: unknown): ConnectorError =>
  new ConnectorError('config', message, {
    code: 'InvalidPublicKey',
    hint,
    ...(cause === undefined ? {} : { cause }),
  })

const pasteHint =
  'Give the whole text of the file that "gpg --armor --export KEY" writes, or its bytes in base64.'

/**
 * Reads an OpenPGP public key, ASCII-armoured or in base64, and sees that it can encrypt now: neither expired nor
 * revoked, with a valid key for encryption (RSA, or a modern curve). Throws a `config` error that says what is wrong.
 */
export const readRecipientKey = async (text: string, now: Date): Promise<RecipientKey> => {
  const openpgp = await import('openpgp')
  const key = await parseKey(text, openpgp)
  const [primary] = key.users
  const userId = primary?.userID?.userID
  const fingerprint = key.getFingerprint().toUpperCase()
  const name = `The OpenPGP key ${fingerprint.slice(-16)}${userId ? ` (${userId})` : ''}`
  if (await key.isRevoked(undefined, undefined, now))
    throw invalid(`${name} is revoked.`, 'Ask its owner for the key that replaces it.')
  const expires = await key.getExpirationTime()
  if (expires instanceof Date && expires <= now)
    throw invalid(
      `${name} expired at ${expires.toISOString()}.`,
      'Ask its owner for a key with a later expiration.',
    )
  if (key.getCreationTime() > now)
    throw invalid(
      `${name} is from the future: ${key.getCreationTime().toISOString()}.`,
      'Check the clock of this machine.',
    )
  try {
    await key.getEncryptionKey(undefined, now)
  } catch (error) {
    throw invalid(
      `${name} has no valid key for encryption: ${messageOf(error)}.`,
      'A key that only signs, or whose subkey for encryption has expired or is revoked, can encrypt nothing: ask its owner for another one.',
      error,
    )
  }
  return Object.freeze<RecipientKey>({
    fingerprint,
    userId,
    encrypt: (bytes) => encryptStream(bytes, key, now, openpgp),
  })
}

const messageOf = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).replace(/\.$/, '')

const parseKey = async (text: string, openpgp: typeof import('openpgp')): Promise<PublicKey> => {
  const trimmed = text.trim()
  const armoured = trimmed.startsWith('-----')
  let key: Awaited<ReturnType<typeof openpgp.readKey>>
  try {
    const keys = armoured
      ? await openpgp.readKeys({ armoredKeys: trimmed })
      : await openpgp.readKeys({ binaryKeys: fromBase64(trimmed) })
    const [first] = keys
    if (!first) throw new Error('there is no key in it')
    if (keys.length > 1) throw new Error('there is more than one key in it')
    key = first
  } catch (error) {
    throw invalid(`The OpenPGP public key can't be read: ${messageOf(error)}.`, pasteHint, error)
  }
  if (key.isPrivate())
    throw invalid(
      'This is a private OpenPGP key.',
      'Keep it to yourself, and give the public one: gpg --armor --export KEY.',
    )
  return key as PublicKey
}

/** Base64 of the key's bytes, or of its armoured text. */
const fromBase64 = (text: string): Uint8Array => {
  const packed = text.replaceAll(/\s/g, '')
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(packed)) throw new Error('it is neither ASCII-armoured nor base64')
  return Buffer.from(packed, 'base64')
}

async function* encryptStream(
  bytes: AsyncIterable<Uint8Array>,
  key: PublicKey,
  now: Date,
  openpgp: typeof import('openpgp'),
): AsyncGenerator<Uint8Array> {
  const source = ReadableStream.from(bytes) as ReadableStream<Uint8Array>
  const encrypted = await openpgp.encrypt({
    message: await openpgp.createMessage({ binary: source, format: 'binary' }),
    encryptionKeys: key,
    format: 'binary',
    date: now,
    config: { preferredCompressionAlgorithm: openpgp.enums.compression.uncompressed },
  })
  yield* encrypted as unknown as AsyncIterable<Uint8Array>
}
