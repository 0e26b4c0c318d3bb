import type { KeptFiles } from '@penstock/core'
import type { FileReader } from '@penstock/iceberg'
import type { ZeroCopyConfig } from './config.ts'

/** A UUID, which writers put into the names of metadata files, manifest lists and manifests. */
const uuid = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/i

/**
 * Reads metadata files from what was kept of them, where they are. Only files whose own names have a UUID are: one
 * such as `v3.metadata.json` can come back as another one when its table is dropped and made anew.
 */
export const keptReader = (
  reader: FileReader,
  kept: KeptFiles | undefined,
  { endpoint }: Pick<ZeroCopyConfig, 'endpoint'>,
): FileReader => {
  if (!kept) return reader
  return {
    open: reader.open,
    read: async (path, options) => {
      if (!uuid.test(path.slice(path.lastIndexOf('/') + 1))) return reader.read(path, options)
      const name = `${endpoint ?? 'aws'} ${path}`
      const known = await kept.read(name)
      if (known) {
        options.onKept?.()
        return known
      }
      const bytes = await reader.read(path, options)
      await kept.write(name, bytes)
      return bytes
    },
  }
}
