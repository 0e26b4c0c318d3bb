// biome-ignore-all lint/suspicious/noTemplateCurlyInString: that is how references are written
import { ConnectorError } from '@penstock/core'
import { describe, expect, it } from 'vitest'
import { testConnector } from '../../test/project-connector.ts'
import { openPipeline } from './pipeline.ts'
import { parseProject } from './project.ts'

const text = `connections:
  one: { connector: source-test }
  two: { connector: source-test }
pipelines:
  daily:
    connection: one
    into: data/w.duckdb
    options: { mode: delta, staging: 2GiB }
    tables:
      - folder: orders/\${env:YEAR}/
      - { connection: two, object: a.csv, mode: full }
      - object: [b.csv, c.csv]
`
const open = (from = '', to = '', env: Record<string, string> = { YEAR: '2026' }) =>
  openPipeline(
    parseProject(text.replace(from, to), '/project/penstock.yaml'),
    'daily',
    async () => testConnector,
    env,
  )

describe('openPipeline', () => {
  it('groups tables by connection and gives them the options of the pipeline', async () => {
    const { steps, ...pipeline } = await open()
    expect(pipeline).toEqual({
      name: 'daily',
      into: '/project/data/w.duckdb',
      resources: { staging: 2 * 1024 ** 3 },
      connections: ['one', 'two'],
    })
    const [step] = steps
    expect(steps).toMatchObject([{ id: 'extract', kind: 'extract', condition: 'success' }])
    expect(await step?.input({ steps: new Map(), run: {} })).toEqual([
      {
        connection: 'one',
        tables: [
          { mode: 'delta', folder: 'orders/2026/' },
          { mode: 'delta', object: ['b.csv', 'c.csv'] },
        ],
      },
      { connection: 'two', tables: [{ mode: 'full', object: 'a.csv' }] },
    ])
  })

  it.each([
    ['mode: full', 'mode: ful', 11, 'must be one of: full, delta, merge', ''],
    ['object: a.csv', 'objct: a.csv', 11, 'Unknown field "objct" of a table', 'Did you mean object?'],
    ['connection: two', 'connection: too', 11, 'no connection "too"', 'one, two'],
    ['    connection: one\n', '', 9, 'has no connection', 'one, two'],
    ['staging: 2GiB', 'staging: much', 8, 'must be a size', ''],
    ['staging: 2GiB', 'stagin: 2GiB', 8, 'Unknown field "stagin"', 'Did you mean staging?'],
  ])('%j -> %j is refused with its line', async (from, to, line, message, hint) => {
    const error = await open(from, to).catch((thrown: unknown) => thrown)
    if (!ConnectorError.isInstance(error)) throw error
    expect(error.kind).toBe('config')
    expect(error.message).toContain(message)
    expect(error.message).toContain(`penstock.yaml:${line}:`)
    expect(error.hint ?? '').toContain(hint)
  })

  it('names a missing variable and its field', async () => {
    await expect(open('', '', {})).rejects.toThrow(
      'penstock.yaml:10:17: The environment variable YEAR is not set; pipelines.daily.tables.0.folder needs it.',
    )
  })
})
