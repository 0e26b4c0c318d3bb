import { decodePercent, textOfBytes } from '../sigv4/encode.ts'

/** What a path below `/v1/` of an Iceberg REST catalog asks for. */
export interface Route {
  operation: 'GetConfig' | 'GetToken' | 'ListNamespaces' | 'LoadNamespace' | 'ListTables' | 'LoadTable'
  /** Between `/v1/` and `/namespaces`, decoded; empty when there is none. */
  prefix: string
  /** Levels of the namespace. */
  namespace: string[]
  table: string
}

/** Levels of a namespace are joined by this character in paths and parameters (Iceberg REST specification). */
export const levelSeparator = '\u001f'

/** Reads a raw path below the endpoint; undefined for one that is no operation. */
export function readRoute(method: string, rawPath: string): Route | undefined {
  const segments = rawPath.split('/').filter((segment) => segment !== '')
  if (segments.shift() !== 'v1') return undefined
  const route = { prefix: '', namespace: [], table: '' }
  const joined = segments.join('/')
  if (joined === 'config' && method === 'GET') return { operation: 'GetConfig', ...route }
  if (joined === 'oauth/tokens' && method === 'POST') return { operation: 'GetToken', ...route }
  const at = segments.indexOf('namespaces')
  if (at < 0 || (method !== 'GET' && method !== 'HEAD')) return undefined
  const [prefix, name, table] = [
    segments.slice(0, at).join('/'),
    segments[at + 1] ?? '',
    segments[at + 3] ?? '',
  ].map((text) => textOfBytes(decodePercent(text) ?? ''))
  if (prefix === undefined || name === undefined || table === undefined) return undefined
  const place = { prefix, namespace: name === '' ? [] : name.split(levelSeparator), table }
  if (segments.length > at + 4 || (segments[at + 2] ?? 'tables') !== 'tables') return undefined
  const operations = ['ListNamespaces', 'LoadNamespace', 'ListTables', 'LoadTable'] as const
  const operation = operations[segments.length - at - 1]
  return operation && { operation, ...place }
}
