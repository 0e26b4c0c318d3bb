import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { ConnectorError, type RangedFile, type StagedFile } from '@penstock/core'
import { openCache } from '../scan/fetch/cache.ts'
import { createFooters, type FileFooter } from '../scan/fetch/footers.ts'
import { makeLocalFile } from '../scan/fetch/local-file.ts'
import { createTransport, type Transport } from '../scan/fetch/transport.ts'
import { planLocalFile } from '../scan/parquet/local-layout.ts'
import { allGroups, type KeptGroup } from '../scan/parquet/prune.ts'
import { isStreamed } from './head.ts'
import type { InputFile, ReadContext } from './reading.ts'

/** Bytes of row groups that are worth a part: more at a time would only make the download wait for the load. */
const partBytes = 128 * 1024 ** 2

/** Whether a file is larger than the staging space, and to be read at random places. */
export const isInParts = (file: StagedFile): boolean => file.format.type === 'parquet' && isStreamed(file)

/**
 * A Parquet object that has no local copy, as one small file after the other, each with some of its row groups. A part
 * is gone when the next one is asked for. Throws `resource` when a row group alone is larger than the space for parts.
 */
export async function* parquetParts(
  { ordinal, file }: InputFile,
  { folder, signal }: ReadContext,
): AsyncGenerator<InputFile> {
  const { url, ranges } = file
  if (!ranges)
    throw new ConnectorError('resource', `${url} is Parquet, which is read at random places.`, {
      place: { object: url },
      hint: 'Raise the limit of the staging space above the size of the object.',
    })
  const remote: RangedFile = { url, size: file.entry.size, read: ranges.read }
  const transport = createTransport({ concurrency: undefined, signal, onBytes: () => {} })
  const cache = openCache(undefined)
  const footers = createFooters({ transport, cache, onHit: () => {}, wholeFiles: false })
  const found = await footers.read(remote)
  const path = join(folder, `part-${ordinal}.parquet`)
  for (const groups of partsOf(found.footer, ranges.stagingBytes, file)) {
    try {
      await writePart(remote, found, groups, path, transport)
      yield { ordinal, file: { ...file, path }, firstRow: groups[0]?.firstRow ?? 0 }
    } finally {
      await rm(path, { force: true })
    }
  }
}

const writePart = async (
  remote: RangedFile,
  { footer, tail }: FileFooter,
  groups: readonly KeptGroup[],
  path: string,
  transport: Transport,
): Promise<void> => {
  const layout = planLocalFile(footer, groups, footer.schema.children, [])
  await makeLocalFile({ file: remote, path, layout, tail }, transport, openCache(undefined))
}

/** Row groups that go together: at least one, and a file without any has one part without any. */
const partsOf = (
  footer: FileFooter['footer'],
  stagingBytes: number,
  { url }: StagedFile,
): readonly (readonly KeptGroup[])[] => {
  const parts: KeptGroup[][] = []
  let room = 0
  for (const kept of allGroups(footer)) {
    const size = kept.group.columns.reduce((sum, { range }) => sum + range.end - range.start, 0)
    if (size > stagingBytes)
      throw new ConnectorError(
        'resource',
        `${url} has a row group of ${size} bytes; the staging space has ${stagingBytes} bytes for it.`,
        {
          place: { object: url },
          hint: `Raise --staging to ${Math.ceil((3 * size) / 1024 ** 3)}GiB or more, or write the file with smaller row groups.`,
        },
      )
    room -= size
    if (parts.length === 0 || room < 0) {
      parts.push([])
      room = Math.min(partBytes, stagingBytes) - size
    }
    parts.at(-1)?.push(kept)
  }
  return parts.length === 0 ? [[]] : parts
}
