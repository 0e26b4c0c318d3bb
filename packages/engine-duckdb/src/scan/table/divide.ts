import type { ScanFile } from '@penstock/core'
import { type FilePlan, replan, type TablePlan } from './plan-table.ts'

/**
 * The plan in parts that take no more than so many bytes of disk each: some of its files, or some row groups of a file.
 * Undefined where that can't be done, as with a row group that is larger.
 */
export const divideTable = (plan: TablePlan, room: number): readonly TablePlan[] | undefined => {
  const { content } = plan
  if (content.kind !== 'files') return undefined
  const deleteFiles = fetchedOnce(content.deleteFiles)
  const left = [...deleteFiles.values()].reduce((free, { plan: { diskBytes } }) => free - diskBytes, room)
  const parts: FilePlan[][] = []
  let free = 0
  for (const piece of content.files.flatMap((file) => piecesOf(file, left))) {
    const { diskBytes } = piece.plan
    if (diskBytes > left) return undefined
    if (diskBytes > free) {
      parts.push([])
      free = left
    }
    parts.at(-1)?.push(piece)
    free -= diskBytes
  }
  return parts.map((files) => replan({ ...plan, content: { ...content, deleteFiles } }, files))
}

/** A file as it is, or by its row groups where it is larger than that. */
const piecesOf = (file: FilePlan, room: number): readonly FilePlan[] => {
  const { detail, diskBytes } = file.plan
  if (diskBytes <= room || !detail) return [file]
  return detail.groups.map((group) => ({ ...file, plan: detail.narrow([group], 'part') }))
}

/** Delete files that all parts share. */
const fetchedOnce = (files: ReadonlyMap<ScanFile, FilePlan>): ReadonlyMap<ScanFile, FilePlan> =>
  new Map(
    [...files].map(([key, file]) => {
      let path: Promise<string> | undefined
      const fetch: FilePlan['plan']['fetch'] = (deleted) => {
        path ??= file.plan.fetch(deleted)
        return path
      }
      return [key, { ...file, plan: { ...file.plan, fetch } }]
    }),
  )
