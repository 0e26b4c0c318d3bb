import { expect, test } from 'vitest'
import { checkContents, checkManifest } from './package-rules.ts'

const files = ['package.json', 'README.md', 'LICENSE', 'dist/index.js', 'dist/index.d.ts']

test('a package of built files with readme and licence is fine', () => {
  expect(checkContents(files)).toEqual([])
})

test('tests of a template are for its users', () => {
  expect(checkContents([...files, 'templates/source/test/a.test.ts'])).toEqual([])
})

test.each(['package.json', 'README.md', 'LICENSE'])('%s must be there', (path) => {
  expect(checkContents(files.filter((file) => file !== path))).toEqual([`${path} is missing`])
})

test.each([
  'dist/a.test.js',
  'dist/a.test.d.ts',
  'src/a.ts',
  'test/a.js',
  'dist/a.js.map',
  'tsconfig.tsbuildinfo',
])('%s is refused', (path) => {
  expect(checkContents([...files, path])).toEqual([`${path} should not be packed`])
})

const manifest = {
  license: 'Apache-2.0',
  description: 'Does it',
  keywords: ['s3'],
  engines: { node: '>=22' },
  files: ['dist', 'CHANGELOG.md'],
  exports: { '.': { types: './dist/index.d.ts', default: './dist/index.js' } },
  dependencies: { '@penstock/core': '^0.1.0' },
}

test('a complete manifest is fine', () => {
  expect(checkManifest(manifest)).toEqual([])
})

test.each([
  [{ license: 'MIT' }, 'license is not Apache-2.0'],
  [{ description: '' }, 'description is missing'],
  [{ keywords: [] }, 'keywords are missing'],
  [{ engines: {} }, 'engines.node is missing'],
  [{ exports: { '.': { 'penstock:source': './src/index.ts' } } }, 'exports lead to sources'],
  [{ files: ['dist'] }, 'files does not name CHANGELOG.md'],
  [{ dependencies: { zod: '4.6.7' } }, 'zod has an exact version'],
  [{ dependencies: { '@penstock/core': 'workspace:^' } }, '@penstock/core is "workspace:^"'],
])('%j is refused', (change, message) => {
  expect(checkManifest({ ...manifest, ...change })).toEqual([expect.stringContaining(message)])
})
