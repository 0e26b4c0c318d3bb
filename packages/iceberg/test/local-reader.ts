import { readFileSync } from 'node:fs'
import type { RangedFile } from '@penstock/core'
import { fixturePath } from '@penstock/iceberg-fixtures'
import type { FileReader } from '../src/index.ts'

/** A reader of files in memory that remembers what was asked for. */
export const memoryReader = (
  bytesOf: (path: string) => Uint8Array,
): FileReader & { readonly paths: string[] } => {
  const paths: string[] = []
  return {
    paths,
    read: async (path) => {
      paths.push(path)
      return bytesOf(path)
    },
    open: (path, size): RangedFile => ({
      url: path,
      size,
      async *read(range) {
        paths.push(path)
        const bytes = bytesOf(path).subarray(range.start, range.end)
        // In small pieces, as a network would.
        for (let start = 0; start < bytes.length; start += 100) yield bytes.subarray(start, start + 100)
      },
    }),
  }
}

export const fixtureBytes = (path: string): Uint8Array => readFileSync(fixturePath(path))

export const fixtureReader = () => memoryReader(fixtureBytes)
