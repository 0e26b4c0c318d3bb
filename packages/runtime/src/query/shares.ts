import { type AnyZeroCopy, type CatalogTable, ConnectorError, nearest } from '@penstock/core'

const same = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase()
const sameNamespace = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((level, index) => same(level, b[index] ?? ''))

type Shares = readonly { readonly namespace: readonly string[]; readonly tables?: readonly string[] }[]

/** Whether a connection was given a namespace, or any table of it; all where nothing was chosen. */
export const isSharedNamespace = (shares: Shares | undefined, namespace: readonly string[]): boolean =>
  shares?.some((share) => sameNamespace(share.namespace, namespace)) ?? true

/** Whether a connection was given a table. */
export const isShared = (shares: Shares | undefined, { namespace, name }: CatalogTable): boolean =>
  shares?.some(
    (share) =>
      sameNamespace(share.namespace, namespace) &&
      (share.tables === undefined || share.tables.some((table) => same(table, name))),
  ) ?? true

/** Throws `permission` for a table that the connection was limited not to share. */
export const requireShared = (
  connector: AnyZeroCopy,
  config: unknown,
  { namespace, name }: CatalogTable,
  connection: string,
): void => {
  const shares = connector.shares?.(config)
  if (!shares || isShared(shares, { namespace, name })) return
  const table = [...namespace, name].join('.')
  const shared = shares.flatMap((share) =>
    (share.tables ?? ['*']).map((each) => [...share.namespace, each].join('.')),
  )
  const similar = nearest(table, shared)
  // A choice of tables replaces the one before it.
  const chosen = shares.find((share) => sameNamespace(share.namespace, namespace))?.tables ?? []
  const tables = [...chosen, name].map((each) => `--table ${each}`).join(' ')
  throw new ConnectorError('permission', `Connection ${connection} does not share ${table}.`, {
    code: 'NotShared',
    place: { table },
    hint:
      similar === undefined
        ? `It shares ${shared.slice(0, 8).join(', ') || 'nothing'}. To share this one as well: penstock share ${connection} --namespace ${namespace.join('.')} ${tables}`
        : `Did you mean ${similar}? It shares ${shared.slice(0, 8).join(', ')}.`,
  })
}
