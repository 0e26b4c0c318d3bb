import { BlockList, isIP } from 'node:net'

/** `::ffff:10.0.0.1`, as a dual-stack socket reports it, is the IPv4 address 10.0.0.1. */
function plainAddress(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)
  return mapped?.[1] ?? address
}

function familyOf(address: string): 'ipv4' | 'ipv6' | undefined {
  const version = isIP(address)
  return version === 4 ? 'ipv4' : version === 6 ? 'ipv6' : undefined
}

function parseRange(range: string): { address: string; bits: number; family: 'ipv4' | 'ipv6' } | undefined {
  const [address = '', prefix, ...rest] = range.split('/')
  const family = familyOf(address)
  if (!family || rest.length > 0) return undefined
  const most = family === 'ipv4' ? 32 : 128
  if (prefix === undefined) return { address, bits: most, family }
  if (!/^\d{1,3}$/.test(prefix) || Number(prefix) > most) return undefined
  return { address, bits: Number(prefix), family }
}

/** True for an IPv4 or IPv6 address with or without a prefix length. */
export function isAddressRange(range: string): boolean {
  return parseRange(range) !== undefined
}

/** Whether an address lies in a range in CIDR notation; a plain address is a range of one. */
export function addressInRange(range: string, address: string): boolean {
  const parsed = parseRange(range)
  const plain = plainAddress(address)
  const family = familyOf(plain)
  if (!parsed || family !== parsed.family) return false
  const list = new BlockList()
  list.addSubnet(parsed.address, parsed.bits, parsed.family)
  return list.check(plain, family)
}
