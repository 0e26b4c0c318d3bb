export interface SourceFile {
  readonly path: string
  readonly text: string
}

const library = ['runtime', 'engine-duckdb', 'aws', 'iceberg', 'command-kit', 'testkit']
const isConnector = (name: string) => /^(source|destination|zero-copy|actions)-/.test(name)

/** What a package may import, after architecture.md: core <- libraries <- connectors <- apps. */
const mayImport = (from: string, to: string): boolean => {
  if (to === 'core') return true
  if (from === 'core') return false
  if (library.includes(from)) return false
  if (isConnector(from)) return library.includes(to) && to !== 'engine-duckdb' && to !== 'testkit'
  return true
}

/** Dependencies that live in exactly one package. */
const exclusive: readonly { readonly pattern: RegExp; readonly owner: string }[] = [
  { pattern: /^@duckdb\//, owner: 'engine-duckdb' },
  { pattern: /^@(aws-sdk|smithy)\//, owner: 'aws' },
]

/** Packages that only the command line's own house may import. */
const commandLine = /^@oclif\//

/**
 * Imports that go against the direction of the house. Tests and examples may import anything but another connector's
 * insides: they show packages together.
 */
export const checkImports = (files: readonly SourceFile[]): string[] => {
  const findings: string[] = []
  for (const { path, text } of files) {
    const match = /^(packages|apps)\/([^/]+)\/src\/(.*)$/.exec(path)
    if (!match || /\.test(-d)?\.ts$/.test(path)) continue
    const [, root, name = ''] = match
    for (const specifier of importsOf(text)) {
      const inner = /^@penstock\/([^/]+)/.exec(specifier)?.[1]
      if (inner && inner !== name && root === 'packages' && !mayImport(name, inner))
        findings.push(`${path}: ${name} may not import ${specifier}`)
      const owner = exclusive.find(({ pattern }) => pattern.test(specifier))?.owner
      if (owner && owner !== name) findings.push(`${path}: only ${owner} may import ${specifier}`)
      if (commandLine.test(specifier) && name !== 'command-kit' && root !== 'apps')
        findings.push(`${path}: only command-kit and the apps may import ${specifier}`)
    }
  }
  return findings
}

const importsOf = (text: string): string[] =>
  [
    ...text.matchAll(
      /^\s*(?:import|export)\s[^'"`]*?from\s+['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]\s*\)|^import\s+['"]([^'"]+)['"]/gm,
    ),
  ].map((match) => match[1] ?? match[2] ?? match[3] ?? '')
