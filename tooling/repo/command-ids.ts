import type { SourceFile } from './imports.ts'

/** Commands with one id in two packages: oclif would silently take the first. */
export const checkCommandIds = (files: readonly SourceFile[]): string[] => {
  const owners = new Map<string, string>()
  const findings: string[] = []
  for (const { path } of files) {
    const match = /^(?:packages|apps)\/[^/]+\/src\/commands\/(.+)\.ts$/.exec(path)
    if (!match || /\.test$/.test(match[1] ?? '')) continue
    const id = (match[1] ?? '').replace(/\/index$/, '')
    const owner = owners.get(id)
    if (owner) findings.push(`${path}: command "${id}" exists already in ${owner}`)
    else owners.set(id, path)
  }
  return findings
}
