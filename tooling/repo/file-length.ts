import type { SourceFile } from './imports.ts'

const maxLines = 400

/** Files that do too much to be read in one go. */
export const checkFileLength = (files: readonly SourceFile[]): string[] =>
  files.flatMap(({ path, text }) => {
    const lines = text.split('\n').length - 1
    return lines > maxLines ? [`${path}: ${lines} lines, more than ${maxLines}`] : []
  })
