import type { Kind, Names } from './names.ts'

/** What is used of this package's own package.json. */
export interface Manifest {
  readonly version: string
  readonly engines: { readonly node: string }
  readonly devDependencies: Readonly<Record<string, string>>
}

const titles: Readonly<Record<Kind, string>> = {
  source: 'as tables',
  destination: 'as the destination of exports',
  'zero-copy': 'queried in place',
  actions: 'steps of pipelines and commands',
}

/**
 * package.json of a new connector. Versions are those that this release was tested with: they are development
 * dependencies of this package.
 */
export const manifestOf = (kind: Kind, names: Names, own: Manifest) => {
  // All packages of Penstock are released together, with one version.
  const versionOf = (name: string): [string, string] => [
    name,
    name.startsWith('@penstock/') ? `^${own.version}` : `^${own.devDependencies[name]?.replace('^', '')}`,
  ]
  const scoped = names.package.startsWith('@')
  return {
    name: names.package,
    version: '0.0.0',
    description: `${names.title} ${titles[kind]}, with Penstock`,
    keywords: ['penstock-connector', kind, names.subject],
    license: 'Apache-2.0',
    type: 'module',
    engines: own.engines,
    files: ['dist', 'CHANGELOG.md'],
    exports: { '.': { types: './dist/index.d.ts', default: './dist/index.js' } },
    ...(scoped && { publishConfig: { access: 'public' } }),
    penstock: { harness: './test/fixture.ts' },
    scripts: {
      build: 'tsc -p tsconfig.build.json',
      typecheck: 'tsc',
      test: 'vitest run',
      harness: 'penstock-harness',
      ...(kind !== 'destination' && { service: 'node test/serve.ts' }),
      prepare: 'npm run build',
      changeset: 'changeset',
      release: 'changeset publish',
    },
    dependencies: Object.fromEntries(['@penstock/core', 'zod'].map(versionOf)),
    devDependencies: Object.fromEntries(
      [
        '@changesets/cli',
        '@penstock/harness',
        '@penstock/testkit',
        '@types/node',
        'typescript',
        'vitest',
      ].map(versionOf),
    ),
  }
}
