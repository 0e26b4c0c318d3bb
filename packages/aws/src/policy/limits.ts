import { isIP } from 'node:net'
import { ConnectorError, type PolicyOptions } from '@penstock/core'
import { type PolicyStatement, withCondition } from './documents.ts'

/** Throws a `config` error for what is no address or block of addresses. */
const assertCidr = (block: string): void => {
  const [address = '', length, ...rest] = block.split('/')
  const version = isIP(address)
  const bits = length === undefined ? 0 : /^\d{1,3}$/.test(length) ? Number(length) : Number.NaN
  if (version !== 0 && rest.length === 0 && bits <= (version === 4 ? 32 : 128)) return
  throw new ConnectorError('config', `"${block}" is no block of IP addresses.`, {
    code: 'InvalidCidr',
    hint: 'Write it like 203.0.113.0/24 or 2001:db8::/32.',
  })
}

/**
 * Narrows statements that allow something to the addresses in `sourceIps`, and adds a statement that denies what
 * doesn't come over TLS.
 */
export const limited = (
  statements: readonly PolicyStatement[],
  resources: readonly string[],
  options: PolicyOptions,
  /** Actions that are denied without TLS. */
  actions: string | readonly string[] = 's3:*',
): readonly PolicyStatement[] => {
  const { sourceIps = [], secureTransport } = options
  for (const block of sourceIps) assertCidr(block)
  const narrowed =
    sourceIps.length === 0
      ? statements
      : statements.map((statement) =>
          withCondition(statement, { IpAddress: { 'aws:SourceIp': [...sourceIps] } }),
        )
  if (!secureTransport) return narrowed
  return [
    ...narrowed,
    {
      Sid: 'DenyPlainHttp',
      Effect: 'Deny',
      Action: actions,
      Resource: resources,
      Condition: { Bool: { 'aws:SecureTransport': 'false' } },
    },
  ]
}
