import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connectUnknown, defineAction, defineActions } from '@penstock/core'
import { duckdb } from '@penstock/engine-duckdb'
import { nextTimes, openPipeline, openProject, runPipeline } from '@penstock/runtime'
import { z } from 'zod'

// node --conditions=penstock:source examples/pipeline.ts
// A pipeline of SQL and an action: the program brings the engine and the connectors.
const text = `connections:
  console: { connector: ./console.ts }
pipelines:
  report:
    into: report.duckdb
    schedule: { every: month, on: 31, at: '05:00' }
    steps:
      - id: sums
        sql: CREATE OR REPLACE TABLE t AS SELECT range AS n FROM range(5); SELECT sum(n)::INT AS total FROM t
      - id: tell
        action: { connection: console, name: say, input: { text: 'The sum is $\{steps.sums.rows[0].total}.' } }
`

const consoleActions = defineActions({
  name: 'actions-console',
  topic: 'console',
  config: z.object({}),
  check: async () => {},
  actions: {
    say: defineAction({
      title: 'Say',
      input: z.strictObject({ text: z.string() }),
      output: z.strictObject({ length: z.int() }),
      run: async (_context, { text }) => {
        console.log(text)
        return { length: text.length }
      },
    }),
  },
})

const folder = await mkdtemp(join(tmpdir(), 'penstock-example-'))
try {
  await writeFile(join(folder, 'penstock.yaml'), text)
  const project = await openProject({ cwd: folder })
  const pipeline = await openPipeline(project, 'report', async () => consoleActions)
  const run = await runPipeline(pipeline, {
    project,
    openConnection: async (name) => connectUnknown(consoleActions, {}, { name }),
    openEngine: (path, { contained }) => duckdb(path, { contained }),
    redact: (value) => value,
    addSecrets: () => {},
  })
  for (const { id, status } of run.steps) console.log(`${id}: ${status}`)
  const schedule = project.pipelines.report?.schedule
  if (schedule)
    for (const time of nextTimes(schedule, new Date('2026-01-31T06:00Z'))) {
      console.log(`next: ${time.toISOString()}`)
      break
    }
} finally {
  await rm(folder, { recursive: true })
}
