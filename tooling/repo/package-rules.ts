/** What the rules look at in a packed package.json. */
export interface Manifest {
  readonly license?: string
  readonly description?: string
  readonly keywords?: readonly string[]
  readonly engines?: { readonly node?: string }
  readonly files?: readonly string[]
  readonly exports?: Readonly<Record<string, unknown>>
  readonly dependencies?: Readonly<Record<string, string>>
}

/** Every packed package has these. */
const required = ['README.md', 'LICENSE', 'package.json']

/** Only for those who work on the package: tests, sources, what the compiler remembers. Templates are for users. */
const unwanted =
  /^(?!templates\/).*\.test(-d)?\.|^(src|test|type-tests|examples|scripts)\/|\.tsbuildinfo$|\.map$|^tsconfig/

/** Files of a tarball that are missing, or that users have no use for. `files` are paths within the package. */
export const checkContents = (files: readonly string[]): string[] => [
  ...required.filter((path) => !files.includes(path)).map((path) => `${path} is missing`),
  ...files.filter((path) => unwanted.test(path)).map((path) => `${path} should not be packed`),
]

/** What a packed manifest must say, and what must not be left in it. */
export const checkManifest = (manifest: Manifest): string[] => {
  const findings: string[] = []
  if (manifest.license !== 'Apache-2.0') findings.push('license is not Apache-2.0')
  if (!manifest.description) findings.push('description is missing')
  if (!manifest.keywords?.length) findings.push('keywords are missing')
  if (!manifest.engines?.node) findings.push('engines.node is missing')
  if (JSON.stringify(manifest.exports ?? {}).includes('penstock:source'))
    findings.push('exports lead to sources, which are not packed: publishConfig.exports is missing')
  // npm packs it only where it is named; it exists from the first release on.
  if (!manifest.files?.includes('CHANGELOG.md')) findings.push('files does not name CHANGELOG.md')
  // Its types are part of every contract: users have to be able to share one copy.
  if (/^\d/.test(manifest.dependencies?.zod ?? '')) findings.push('zod has an exact version')
  for (const [name, range] of Object.entries(manifest.dependencies ?? {}))
    if (/^(workspace|link|file|catalog):/.test(range)) findings.push(`${name} is "${range}" for users, too`)
  return findings
}
