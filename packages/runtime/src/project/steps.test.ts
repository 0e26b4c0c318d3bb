// biome-ignore-all lint/suspicious/noTemplateCurlyInString: that is how references are written
import { type AnyConnector, ConnectorError } from '@penstock/core'
import { describe, expect, it } from 'vitest'
import { testConnector } from '../../test/project-connector.ts'
import { testActions, testDestination } from '../../test/step-connectors.ts'
import { openPipeline } from './pipeline.ts'
import { parseProject } from './project.ts'

const connectors: Record<string, AnyConnector> = {
  lake: testConnector,
  out: testDestination(new Map(), { list: [] }),
  act: testActions({ list: [] }),
}
const text = `connections:
  lake: { connector: source-test }
  out: { connector: destination-test }
  act: { connector: actions-test }
pipelines:
  daily:
    into: w.duckdb
    connection: lake
    steps:
      - id: load
        extract: { tables: [{ folder: orders/ }] }
      - id: sums
        sql: INSERT INTO log VALUES (\${steps.load.rowsLoaded}, \${env:NAME})
      - id: export
        export:
          connection: out
          folder: day
          streams:
            - { name: sums, sql: "SELECT \${run.scheduledTime} AS day" }
      - id: tell
        if: { success: export }
        retries: { count: 2, delay: 1s }
        timeout: 5m
        action:
          connection: act
          name: echo
          input: { text: '\${steps.export.files[0].key}', count: '\${steps.sums.rowsChanged}' }
`
const open = async (from = '', to = '', env: Record<string, string> = { NAME: "it's" }) =>
  openPipeline(
    parseProject(
      text.replace(from, () => to),
      '/project/penstock.yaml',
    ),
    'daily',
    async (name) => connectors[name] as AnyConnector,
    env,
  )
const values = {
  steps: new Map<string, unknown>([
    ['load', { rowsLoaded: 3 }],
    ['sums', { rowsChanged: 7 }],
    ['export', { files: [{ key: 'a/b.csv' }] }],
  ]),
  run: { id: 'r1', scheduledTime: '2026-01-01T05:00:00Z' },
}

describe('steps', () => {
  it('become inputs with the values of earlier steps: typed as a whole, literals in SQL', async () => {
    const { steps, connections } = await open()
    expect(connections).toEqual(['lake', 'out', 'act'])
    expect(steps.map(({ kind }) => kind)).toEqual(['extract', 'sql', 'export', 'action'])
    expect(steps[3]).toMatchObject({
      retries: { count: 2, delay: 1000 },
      timeout: 300_000,
      condition: { success: ['export'] },
    })
    expect(await steps[1]?.input(values)).toEqual(["INSERT INTO log VALUES (3, 'it''s')"])
    expect(await steps[2]?.input(values)).toEqual({
      name: 'daily.export',
      mode: undefined,
      streams: [{ name: 'sums', sql: "SELECT '2026-01-01T05:00:00Z' AS day" }],
      options: { folder: 'day' },
    })
    expect(await steps[3]?.input(values)).toEqual({ text: 'a/b.csv', count: 7 })
  })

  it('no value can change a statement', async () => {
    const { steps } = await open('\\${env:NAME}', '${env:NAME}', { NAME: "x'); DROP TABLE log; --" })
    expect(await steps[1]?.input(values)).toEqual(["INSERT INTO log VALUES (3, 'x''); DROP TABLE log; --')"])
  })

  it.each([
    [
      'steps.load.rowsLoaded',
      'steps.laod.rowsLoaded',
      '13:',
      'there is no step "laod"',
      'Did you mean load?',
    ],
    ['steps.load.rowsLoaded', 'steps.load.rowLoaded', '13:', 'has no field "rowLoaded"', 'rowsLoaded'],
    ['steps.load.rowsLoaded', 'steps.export.rows', '13:', 'has not run by then', 'before it'],
    ['steps.export.files[0].key', 'steps.export.files.key', '27:', 'has no field "key"', '[0]'],
    [
      'steps.export.files[0].key',
      'steps.export.files[0].kye',
      '27:',
      'has no field "kye"',
      'Did you mean key?',
    ],
    ['steps.export.files[0].key', 'steps', '27:', 'is no reference', ''],
    ['run.scheduledTime', 'run.scheduled', '19:', 'has no field "scheduled"', 'scheduledTime'],
    ['env:NAME', 'env:NAMES', '13:', 'NAMES is not set', ''],
    ['name: echo', 'name: ecko', '26:', 'has no action "ecko"', 'Did you mean echo?'],
    ['text: ', 'txet: ', '27:', 'Unknown field "txet"', 'Did you mean text?'],
    ['connection: out', 'connection: oout', '16:', 'no connection "oout"', 'Did you mean out?'],
    ['folder: day', 'foldr: day', '17:', 'Unknown field "foldr"', 'Did you mean folder?'],
    [
      'success: export',
      'success: exprot',
      '21:',
      'no step "exprot" before step "tell"',
      'Did you mean export?',
    ],
    ['timeout: 5m', 'timeout: 5', '23:', 'must be of type string', ''],
    ['id: sums', 'id: load', '12:', 'must be unique', ''],
    ['        sql: INSERT', '        sqll: INSERT', '13:', 'Unknown field "sqll"', 'Did you mean sql?'],
    ['    into: w.duckdb\n', '', '7:', 'must have into', ''],
    ['folder: orders/', 'foldre: orders/', '11:', 'Unknown field "foldre"', 'Did you mean folder?'],
    ['retries: { count: 2', 'retries: { count: 99', '22:', 'at most 20', ''],
    ['connection: act\n', 'connection: lake\n', '25:', 'source-test is a source, not a set of actions', ''],
  ])('%j -> %j is refused with its place', async (from, to, place, message, hint) => {
    const error = await open(from, to).catch((thrown: unknown) => thrown)
    if (!ConnectorError.isInstance(error)) throw new Error(`not refused: ${JSON.stringify(error)}`)
    expect(error.kind).toBe('config')
    expect(error.message).toContain(message)
    if (place) expect(error.message).toContain(`penstock.yaml:${place}`)
    expect(error.hint ?? '').toContain(hint)
  })

  it('a value that is not there is an error that names it', async () => {
    const { steps } = await open()
    const steps2 = new Map(values.steps).set('export', { files: [] })
    await expect(steps[3]?.input({ ...values, steps: steps2 })).rejects.toThrow(
      'penstock.yaml:27:26: ${steps.export.files[0].key}: steps.export.files has no entry 0. It has 0 entries.',
    )
    steps2.delete('export')
    await expect(steps[3]?.input({ ...values, steps: steps2 })).rejects.toThrow(
      'step "export" did not succeed',
    )
  })
})
