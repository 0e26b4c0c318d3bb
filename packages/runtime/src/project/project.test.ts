// biome-ignore-all lint/suspicious/noTemplateCurlyInString: that is how references are written
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ConnectorError, revealAll } from '@penstock/core'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { testConnector } from '../../test/project-connector.ts'
import { checkConnection, openConnection } from './connection.ts'
import { initProject, removeConnection, saveConnection } from './edit.ts'
import { openProject, parseProject } from './project.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'penstock-project-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const file = 'penstock.yaml'
const parse = (text: string) => parseProject(text, join('/project', file))
const failure = (work: () => unknown): ConnectorError => {
  try {
    work()
  } catch (error) {
    if (ConnectorError.isInstance(error)) return error
    throw error
  }
  throw new Error('nothing was thrown')
}
const failing = async (work: Promise<unknown>): Promise<ConnectorError> =>
  work.then(
    () => {
      throw new Error('nothing was thrown')
    },
    (error: unknown) => error as ConnectorError,
  )

const lake = `connections:
  lake:
    connector: source-test
    region: north-1 # where it is
    bucket: \${env:STAGE}-bucket
    retries: \${env:RETRIES}
    auth:
      method: access-key
      accessKeyId: AKIA1
      secretAccessKey: \${env:SECRET}
`
const env = { STAGE: 'test', RETRIES: '3', SECRET: 'hunter2-hunter2' }

describe('a project', () => {
  it('is found from a folder below it', async () => {
    await initProject(folder)
    await mkdir(join(folder, 'a/b'), { recursive: true })
    const project = await openProject({ cwd: join(folder, 'a/b') })
    expect(project.folder).toBe(folder)
    expect(await openProject({ cwd: '/', given: folder })).toMatchObject({ file: join(folder, file) })
  })

  it('is not found where there is none, with the way out', async () => {
    const error = await failing(openProject({ cwd: folder }))
    expect(error).toMatchObject({ kind: 'not-found', code: 'NoProject' })
    expect(error.hint).toContain('penstock init')
  })

  it('is made once, with a line for editors, and its state is not for git', async () => {
    await initProject(folder)
    const text = await readFile(join(folder, file), 'utf8')
    expect(text.split('\n')[0]).toMatch(/^# yaml-language-server: \$schema=https:/)
    expect(await readFile(join(folder, '.penstock/.gitignore'), 'utf8')).toBe('*\n')
    expect(await failing(initProject(folder))).toMatchObject({ kind: 'conflict' })
    expect(await readFile(join(folder, file), 'utf8')).toBe(text)
  })

  it.each([
    ['connectoins: {}\n', 1, 1, 'Unknown field "connectoins"', 'Did you mean connections?'],
    ['connections:\n  lake:\n    region: x\n', 2, 3, 'connections.lake.connector is required', undefined],
    ['connections:\n  a b:\n    connector: x\n', 2, 3, 'The name "a b"', undefined],
    ['connections:\n  lake: 3\n', 2, 9, 'connections.lake must be of type object', undefined],
    ['a: [1\nb: 2\n', 2, 1, 'no valid YAML', undefined],
    ['connections: {}\nconnections: {}\n', 2, 1, 'given twice', undefined],
    [
      'pipelines:\n  p:\n    into: x.duckdb\n    tabels: []\n',
      4,
      5,
      'Unknown field "tabels"',
      'Did you mean tables?',
    ],
    [
      'pipelines:\n  p:\n    into: x.duckdb\n    tables: []\n',
      4,
      13,
      'must have at least 1 entries',
      undefined,
    ],
  ])('%j is refused with line and column', (text, line, column, message, hint) => {
    const error = failure(() => parse(text))
    expect(error.kind).toBe('config')
    expect(error.message).toContain(`${file}:${line}:${column}: `)
    expect(error.message).toContain(message)
    expect(error.place).toMatchObject({ line })
    if (hint) expect(error.hint ?? '').toContain(hint)
  })

  it('may have empty sections and be empty', () => {
    expect(parse('connections:\npipelines:\n').connections).toEqual({})
    expect(parse('').pipelines).toEqual({})
  })
})

describe('a connection of the project', () => {
  it('gets its references at use, typed as its fields are', async () => {
    const connection = await openConnection(parse(lake), 'lake', testConnector, { env })
    expect(connection.config).toEqual({ region: 'north-1', bucket: 'test-bucket', retries: 3 })
    expect(revealAll(connection.authFields)).toEqual(['hunter2-hunter2'])
    expect(JSON.stringify(connection)).not.toContain('hunter2')
  })

  it('reads files relative to the project, without the last line break', async () => {
    await writeFile(join(folder, 'secret.txt'), 'from a file \r\n')
    const project = parseProject(lake.replace('${env:SECRET}', '${file:secret.txt}'), join(folder, file))
    const connection = await openConnection(project, 'lake', testConnector, { env })
    expect(revealAll(connection.authFields)).toEqual(['from a file '])
  })

  it('keeps a literal dollar-brace', async () => {
    const project = parse(lake.replace('${env:STAGE}-bucket', () => 'a$${env:X}'))
    expect((await openConnection(project, 'lake', testConnector, { env })).config).toMatchObject({
      bucket: 'a${env:X}',
    })
  })

  it.each([
    [{ ...env, SECRET: undefined }, 'The environment variable SECRET is not set; auth.secretAccessKey', 10],
    [{ ...env, STAGE: '' }, 'The environment variable STAGE is empty; bucket', 5],
    [{ ...env, RETRIES: 'many' }, 'connections.lake.retries must be of type', 6],
  ])('names the variable and the field when one is wrong: %j', async (variables, message, line) => {
    const error = await failing(openConnection(parse(lake), 'lake', testConnector, { env: variables }))
    expect(error.kind).toBe('config')
    expect(error.message).toContain(message)
    expect(error.message).toContain(`${file}:${line}:`)
    expect(error.message).not.toContain('many')
  })

  it.each([
    ['region: north-1', 'regoin: north-1', 4, 'Unknown field "regoin"', 'Did you mean region?'],
    ['region: north-1', 'region: north', 4, 'must look like north-1', ''],
    ['method: access-key', 'method: acces-key', 8, 'Unknown auth method', 'Did you mean access-key?'],
    ['accessKeyId: AKIA1', 'acessKeyId: AKIA1', 9, 'Unknown field "acessKeyId"', 'accessKeyId'],
    ['    auth:\n', '    uth:\n', 7, 'Unknown field "uth"', 'auth'],
    ['${env:SECRET}', '${evn:SECRET}', 10, 'is no reference', '${env:NAME}'],
    ['${env:SECRET}', '${env:}', 10, 'is no reference', '${env:NAME}'],
  ])('%s -> %s is refused', async (from, to, line, message, hint) => {
    const error = await failing(openConnection(parse(lake.replace(from, to)), 'lake', testConnector, { env }))
    expect(error.kind).toBe('config')
    expect(error.message).toContain(message)
    expect(error.message).toContain(`${file}:${line}:`)
    expect(error.hint ?? '').toContain(hint)
  })

  it('opens without its secrets where they are not needed', async () => {
    const open = (secrets: 'optional' | 'required') =>
      openConnection(parse(lake), 'lake', testConnector, { env: { ...env, SECRET: undefined }, secrets })
    expect((await open('optional')).config).toMatchObject({ bucket: 'test-bucket' })
    await expect(open('required')).rejects.toMatchObject({ code: 'MissingVariable' })
  })

  it('with a secret in plain text is refused, and the secret is not repeated', () => {
    const project = parse(lake.replace('${env:SECRET}', 'hunter2-hunter2'))
    const error = failure(() => checkConnection(project, 'lake', testConnector))
    expect(error).toMatchObject({ kind: 'config', code: 'PlainSecret' })
    expect(error.message).toContain(`${file}:10:24: auth.secretAccessKey of connection "lake" is a secret`)
    expect(error.hint).toContain('${env:LAKE_SECRET_ACCESS_KEY}')
    expect(`${error.stack}${JSON.stringify(error)}`).not.toContain('hunter2')
  })

  it('with an unknown name is not found, with the one that was meant', async () => {
    const error = await failing(openConnection(parse(lake), 'lak', testConnector, { env }))
    expect(error).toMatchObject({ kind: 'not-found', hint: 'Did you mean lake?' })
  })
})

describe('an edit', () => {
  const edit = {
    name: 'second',
    connector: testConnector,
    reference: 'source-test',
    fields: { region: 'south-2', bucket: 'other' },
    auth: { method: 'access-key', accessKeyId: 'A', secretAccessKey: '${env:S}' },
  }
  const open = async (text: string) => {
    await writeFile(join(folder, file), text)
    return openProject({ cwd: folder })
  }
  const written = () => readFile(join(folder, file), 'utf8')

  it('adds a connection and keeps comments and order', async () => {
    const text = `# head\n${lake}\n# the work\npipelines:\n  daily: { connection: lake, into: w.duckdb, tables: [ { folder: a/ } ] }\n`
    const changed = await saveConnection(await open(text), edit)
    expect(Object.keys(changed.connections)).toEqual(['lake', 'second'])
    const now = await written()
    for (const line of text.split('\n').filter((line) => line.trim() !== ''))
      expect(now).toContain(line.trim().replace(/\s+#/, ' #'))
    expect(now.indexOf('second:')).toBeLessThan(now.indexOf('# the work'))
    expect(await readdir(folder)).toEqual([file])
  })

  it('changes the fields of a connection in place', async () => {
    const project = await open(lake)
    const fields = { region: 'south-2', bucket: '${env:STAGE}-bucket' }
    const auth = { method: 'anonymous' }
    await saveConnection(project, { ...edit, name: 'lake', fields, auth })
    const now = await written()
    expect(now).toContain('region: south-2 # where it is')
    expect(now).not.toContain('retries')
    expect(now).not.toContain('accessKeyId')
  })

  it('writes into the file that init makes', async () => {
    await initProject(folder)
    await saveConnection(await openProject({ cwd: folder }), edit)
    const now = await written()
    expect(now).toContain('connections:\n  second:\n    connector: source-test\n    region: south-2\n')
    expect((await openProject({ cwd: folder })).connections.second).toMatchObject({ name: 'second' })
  })

  it('leaves the example of init in the file, which holds once its # are taken away', async () => {
    await initProject(folder)
    await saveConnection(await openProject({ cwd: folder }), { ...edit, name: 'lake' })
    const text = await written()
    await writeFile(join(folder, file), text.replaceAll(/^# (?=pipelines:| )/gm, ''))
    const { pipelines } = await openProject({ cwd: folder })
    expect(pipelines.daily).toMatchObject({
      connection: 'lake',
      into: 'warehouse.duckdb',
      tables: [{ folder: 'orders/', mode: 'delta' }],
    })
  })

  it('refuses a secret in plain text before it writes', async () => {
    const project = await open(lake)
    const auth = { ...edit.auth, secretAccessKey: 'hunter2' }
    const error = await failing(saveConnection(project, { ...edit, auth }))
    expect(error).toMatchObject({ kind: 'config', code: 'PlainSecret' })
    expect(await written()).toBe(lake)
  })

  it('that would make an invalid file is refused', async () => {
    const project = await open(lake)
    expect(await failing(saveConnection(project, { ...edit, fields: { region: 'south-2' } }))).toMatchObject({
      kind: 'config',
    })
    expect(await failing(saveConnection(project, { ...edit, name: 'a b' }))).toMatchObject({ kind: 'config' })
    expect(await written()).toBe(lake)
  })

  it('of a file that changed in the meantime is a conflict', async () => {
    const project = await open(lake)
    await writeFile(join(folder, file), `${lake}# more\n`)
    expect(await failing(saveConnection(project, edit))).toMatchObject({ kind: 'conflict' })
  })

  it('removes a connection that nobody uses', async () => {
    const used = `${lake}pipelines:\n  daily:\n    into: w.duckdb\n    tables: [{ connection: lake, folder: a/ }]\n`
    expect(await failing(removeConnection(await open(used), 'lake'))).toMatchObject({
      kind: 'conflict',
      message: 'Connection "lake" is used by pipeline daily.',
    })
    await removeConnection(await open(lake), 'lake')
    expect((await openProject({ cwd: folder })).connections).toEqual({})
  })
})
