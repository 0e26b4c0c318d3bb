import { expect, test } from 'vitest'
import { checkCommandIds } from './command-ids.ts'
import { checkFileLength } from './file-length.ts'
import { checkImports } from './imports.ts'

const file = (path: string, text = '') => ({ path, text })

test.each([
  ['packages/core/src/a.ts', "import { x } from '@penstock/runtime'", 'core may not import'],
  ['packages/source-s3/src/a.ts', "import { x } from '@penstock/source-http'", 'source-s3 may not import'],
  ['packages/source-s3/src/a.ts', "export * from '@penstock/engine-duckdb'", 'source-s3 may not import'],
  ['packages/testkit/src/a.ts', "const x = await import('@penstock/aws')", 'testkit may not import'],
  ['packages/runtime/src/a.ts', "import {\n  x,\n} from '@duckdb/node-api'", 'only engine-duckdb may import'],
  ['packages/testkit/src/a.ts', "import '@aws-sdk/client-s3'", 'only aws may import'],
  ['packages/runtime/src/a.ts', "import { Command } from '@oclif/core'", 'only command-kit and the apps'],
])('%s: %s is refused', (path, text, message) => {
  expect(checkImports([file(path, text)])).toEqual([expect.stringContaining(message)])
})

test.each([
  ['packages/source-s3/src/a.ts', "import { x } from '@penstock/aws'"],
  ['packages/aws/src/a.ts', "import { x } from '@penstock/core'"],
  ['packages/testkit/src/a.test.ts', "import '@aws-sdk/client-s3'"],
  ['apps/cli/src/a.ts', "import { x } from '@penstock/engine-duckdb'"],
])('%s: %s is allowed', (path, text) => {
  expect(checkImports([file(path, text)])).toEqual([])
})

test('two commands with one id are found', () => {
  const findings = checkCommandIds([
    file('apps/cli/src/commands/dev/aws.ts'),
    file('packages/source-s3/src/commands/dev/aws/index.ts'),
    file('apps/cli/src/commands/run.ts'),
    file('apps/cli/src/commands/run.test.ts'),
  ])
  expect(findings).toEqual([expect.stringContaining('command "dev/aws" exists already in apps/cli')])
})

test('a file of more than 400 lines is found', () => {
  expect(checkFileLength([file('a.ts', 'x\n'.repeat(400)), file('b.ts', 'x\n'.repeat(401))])).toEqual([
    'b.ts: 401 lines, more than 400',
  ])
})
