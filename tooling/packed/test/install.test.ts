import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, inject, it } from 'vitest'
import { type User, userWith } from '../src/user.ts'

/** Ways into the packages that programs can import. */
const entries = inject('packages').flatMap(({ name, manifest }) =>
  Object.entries((manifest.exports ?? {}) as Record<string, unknown>)
    .filter(([, target]) => typeof target === 'object')
    .map(([path]) => name + path.slice(1)),
)

describe.each(Object.keys(inject('nodes')))('an empty project with Node %s', (major) => {
  const folder = join(inject('folder'), `app-${major}`)
  let user: User

  it('installs every package', async () => {
    await mkdir(folder, { recursive: true })
    user = userWith(major, folder)
    await user.npm(['init', '--yes'])
    // vitest is the peer of one way into testkit.
    await user.npm(['install', ...inject('packages').map(({ name }) => name), 'vitest'])
    expect(await user.run('node', ['--version'])).toMatch(new RegExp(`^v${major}\\.`))
  })

  it('imports every way into them', async () => {
    const imported = entries.filter((entry) => !entry.endsWith('/vitest'))
    expect(imported).toContain('@penstock/core')
    await writeFile(
      join(folder, 'all.mjs'),
      `for (const name of ${JSON.stringify(imported)}) await import(name)
      console.log('imported')`,
    )
    expect(await user.run('node', ['all.mjs'])).toBe('imported\n')
  })

  it('has the command line, with its connectors', async () => {
    const version = inject('packages').find(({ name }) => name === 'penstock')?.version
    expect(await user.penstock(['--version'])).toContain(`penstock/${version} `)
    const { connectors } = JSON.parse(await user.penstock(['connectors', '--json'])) as {
      connectors: { name: string; error?: unknown }[]
    }
    expect(connectors.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['source-s3', 'destination-s3', 'zero-copy-glue', 'actions-s3']),
    )
    expect(connectors.filter(({ error }) => error !== undefined)).toEqual([])
    expect(await user.penstock(['s3', 'ls', '--help'])).toContain('USAGE')
  })

  it('extracts a first table from the embedded AWS', async () => {
    const aws = await startAws(user)
    try {
      const inProject = { in: '.', env: aws.environment }
      const { AWS_ENDPOINT_URL: endpoint } = aws.environment
      const fields = ['region=us-east-1', 'bucket=sample', `endpoint=${endpoint}`]
      await user.penstock(['init'])
      await user.penstock(
        ['connect', 'dev', '--auth', 'default-chain', ...fields.flatMap((field) => ['--set', field])],
        inProject,
      )
      await user.penstock(['check', 'dev'], inProject)
      const load = ['extract', 'dev', '--folder', 'orders/', '--into', 'warehouse.duckdb', '--json']
      const extracted = JSON.parse(await user.penstock(load, inProject)) as object
      expect(extracted).toMatchObject({ status: 'succeeded', tables: [{ name: 'orders', rowsLoaded: 3000 }] })
      const query = [
        'query',
        'SELECT count(*) AS n FROM orders',
        '--from',
        'warehouse.duckdb',
        '--format',
        'csv',
      ]
      expect(await user.penstock(query)).toBe('n\n3000\n')
    } finally {
      aws.stop()
    }
  })
})

/** `penstock dev aws --sample` as a process of its own. */
const startAws = async ({ folder, environment }: User) => {
  const child = spawn('npx', ['--no', '--', 'penstock', 'dev', 'aws', '--sample', '--json'], {
    cwd: folder,
    env: environment,
    stdio: ['ignore', 'pipe', 'inherit'],
    // npx is not the command itself: all of them end together.
    detached: true,
  })
  const [line] = (await once(child.stdout, 'data')) as [Buffer]
  const { environment: variables } = JSON.parse(String(line)) as { environment: Record<string, string> }
  return { environment: variables, stop: () => process.kill(-(child.pid ?? Number.NaN)) }
}
