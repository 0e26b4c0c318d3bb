#!/usr/bin/env node
import { relative } from 'node:path'
import { CreateError, createConnector, ownManifest } from './create.ts'
import { type Request, requestOf, usage } from './request.ts'

const nextSteps = ({ kind, names, folder }: Request): string => `
Next:
  cd ${relative(process.cwd(), folder) || '.'}
  npm install
  npm test            conformance: what every connector has to get right
  npm run harness     the same, as a scorecard
  git init            and make it yours: README.md says how
${
  kind === 'actions'
    ? `
In a project that has it installed: penstock ${names.subject} list-tickets`
    : `
In a project that has it installed: penstock connect my-${names.subject} --connector ${names.package}`
}
`

const main = async (argv: readonly string[]): Promise<void> => {
  const asks = process.stdin.isTTY && process.stdout.isTTY
  const questions = asks ? (await import('./questions.ts')).terminalQuestions : undefined
  const request = await requestOf(argv, questions)
  if (request === 'help') return console.log(usage)
  if (request === 'version') return console.log((await ownManifest()).version)
  const files = await createConnector(request.folder, request.kind, request.names)
  console.log(`Created ${request.names.package} in ${request.folder}: ${files.length} files.`)
  console.log(nextSteps(request))
}

try {
  await main(process.argv.slice(2))
} catch (error) {
  if (!(error instanceof CreateError)) throw error
  console.error(`create-connector: ${error.message}.\n`)
  console.error(usage)
  process.exitCode = 2
}
