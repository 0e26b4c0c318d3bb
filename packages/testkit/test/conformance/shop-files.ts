import { ConnectorError, defineSource, type FileEntry, fileTable } from '@penstock/core'
import type { Route } from './shop.ts'
import { type ClientMutation, isOneOf, type ShopContext, shopClient, shopConfig } from './shop-client.ts'

/** What can be wrong with a source of files. */
export type FileMutation =
  | ClientMutation
  | 'lists-a-file-twice'
  | 'unknown-format'
  | 'range-off-by-one'
  | 'version-of-the-listing'
  | 'bytes-of-any-version'
  | 'empty-is-an-error'
  | 'deaf-read'

interface StoredFile {
  readonly version: string
  readonly text: string
}

/** Files of the shop: name to version and text. */
export const shopFiles = () => {
  const all = new Map<string, StoredFile>([
    ['a.csv', { version: '1', text: 'id\n1\n2\n3\n' }],
    ['b.csv', { version: '1', text: 'id\n4\n' }],
  ])
  const route: Route = (url) => {
    const [, root, name] = url.pathname.split('/')
    if (root === 'none') return { status: 200, body: [] }
    if (root !== 'files') return undefined
    if (!name) return { status: 200, body: [...all] }
    return { status: all.has(name) ? 200 : 404, body: all.get(name) ?? {} }
  }
  return {
    route,
    grow: async () => void all.set(`c${all.size}.csv`, { version: '1', text: 'id\n5\n' }),
    change: async () => void all.set('a.csv', { version: '2', text: 'id\n7\n8\n9\n' }),
  }
}

export const fileSource = (mutation?: FileMutation) => {
  const is = isOneOf(mutation)
  const client = shopClient(is)
  const listing = async (context: ShopContext, signal: AbortSignal): Promise<FileEntry[]> => {
    const path = context.config.path === 'orders' ? 'files' : context.config.path
    const found = await client.get<[string, StoredFile][]>(context, `/${path}`, [], { signal })
    if (found.length === 0 && is('empty-is-an-error')) throw new Error('No files')
    const version = ({ version }: StoredFile) => (is('version-of-the-listing') ? `${found.length}` : version)
    const entries = found.map(([key, file]) => ({
      container: 'shop',
      key,
      version: version(file),
      size: file.text.length,
      modified: 0,
    }))
    return is('lists-a-file-twice') ? [...entries, ...entries.slice(0, 1)] : entries
  }

  return defineSource({
    name: 'source-files',
    config: shopConfig(is),
    check: client.check,
    tables: (context) => [
      fileTable({
        name: 'files',
        format: () => (is('unknown-format') ? undefined : { type: 'csv', compression: 'none' }),
        async *list({ signal }) {
          yield await listing(context, signal)
        },
        open: (entry) => ({
          entry,
          url: `shop://${entry.key}`,
          async *read(range = { start: 0, end: entry.size }, { signal } = {}) {
            const given = is('deaf-read') || !signal ? {} : { signal }
            const file = await client.get<StoredFile>(
              context,
              `/files/${entry.key}`,
              { version: '', text: '' },
              given,
            )
            if (file.version !== entry.version && !is('bytes-of-any-version', 'version-of-the-listing'))
              throw new ConnectorError('conflict', `${entry.key} was overwritten.`, { hint: 'Try again.' })
            const shift = is('range-off-by-one') && range.start > 0 ? 1 : 0
            yield Buffer.from(file.text.slice(range.start + shift, range.end + shift))
          },
        }),
      }),
    ],
  })
}
