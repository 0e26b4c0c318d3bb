// biome-ignore-all lint/suspicious/noTemplateCurlyInString: that is how references are written
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { startLake, type TestLake } from '../../test/lake.ts'
import { runCommand } from '../../test/run-command.ts'
import { Run } from './run.ts'

const auth =
  '{ method: access-key, accessKeyId: "${env:LAKE_KEY_ID}", secretAccessKey: "${env:LAKE_SECRET}" }'
let lake: TestLake
beforeAll(async () => {
  lake = await startLake()
  lake.aws.s3.createBucket({ name: 'reports' })
  for (const [name, value] of Object.entries(lake.env)) vi.stubEnv(name, value)
})
afterAll(async () => {
  vi.unstubAllEnvs()
  await lake.close()
})

let connections = ''
beforeEach(async () => {
  connections ||= `${(await lake.project.text()).trimEnd()}
  out:
    connector: destination-s3
    region: us-east-1
    bucket: reports
    endpoint: ${lake.aws.endpoint}
    prefix: daily/
    auth: ${auth}
  s3:
    connector: actions-s3
    region: us-east-1
    bucket: reports
    endpoint: ${lake.aws.endpoint}
    auth: ${auth}
`
})

const write = (steps: string) =>
  lake.project.write(`${connections}
pipelines:
  daily:
    into: w.duckdb
    connection: lake
    steps:
${steps}`)
const run = async (...argv: string[]) => runCommand(Run, 'daily', '--project', lake.project.folder, ...argv)
const keys = () => lake.aws.s3.listKeys('reports').filter((key) => !key.includes('.penstock'))

const load = `
      - id: load
        extract:
          tables:
            - { folder: orders/ }
            - { object: customers.csv }`
const sums = `
      - id: sums
        sql: |
          CREATE OR REPLACE TABLE sums AS SELECT channel, count(*) AS n FROM orders GROUP BY ALL;
          SELECT count(*)::INT AS channels, 'it''s' AS text FROM sums`
const exported = `
      - id: export
        export:
          connection: out
          fileType: csv
          keyTemplate: '{stream_name}_{run_id}_{part}.{extension}'
          manifest: true
          streams:
            - table: sums
            - name: note
              sql: SELECT \${steps.sums.rows[0].channels} AS channels, \${steps.sums.rows[0].text} AS text`
const copy = `
      - id: publish
        action:
          connection: s3
          name: copy
          input: { from: '\${steps.export.files[0].key}', to: 'latest/sums.csv' }`

describe('a pipeline of steps', () => {
  it('extracts, runs SQL, exports and calls an action, with values of earlier steps', async () => {
    await write(load + sums + exported + copy)
    const { code, stdout, stderr } = await run('--json')
    expect(stderr).not.toContain('✖')
    const result = JSON.parse(stdout)
    expect(result).toMatchObject({ status: 'succeeded', pipeline: 'daily', attempts: 1 })
    expect(code).toBe(0)
    const [loaded, summed, written, published] = result.steps
    expect(loaded).toMatchObject({ status: 'succeeded', rows: 3200, rowsLost: 0 })
    const { channels } = summed.output.rows[0]
    expect(written.output).toMatchObject({ rows: channels + 1, files: [{ rows: channels }, { rows: 1 }] })
    expect(published).toMatchObject({ status: 'succeeded', output: { count: 1 } })
    expect(keys()).toContain('latest/sums.csv')
    const note = await lake.aws.s3.getObject('reports', written.output.files[1].key)
    expect(String(note)).toBe(`channels,text\n${channels},it's\n`)
    expect(result.runs.map((record: { command: string }) => record.command)).toEqual(['run', 'run'])
    expect(await lake.project.everything()).not.toContain(lake.env.LAKE_SECRET)
  })
})
