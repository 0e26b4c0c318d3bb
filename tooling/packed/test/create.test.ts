import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, describe, expect, inject, it } from 'vitest'
import { type User, userWith } from '../src/user.ts'

const majors = Object.keys(inject('nodes'))
const [first = ''] = majors

const kinds = ['source', 'destination', 'zero-copy', 'actions'] as const

/** What the harness writes. */
interface Score {
  readonly connector: string
  readonly node: string
  readonly passed: number
  readonly failed: number
  readonly results: readonly { readonly id: string; readonly status: string; readonly reason?: string }[]
}

const folder = join(inject('folder'), 'connectors')
let user: User
beforeAll(async () => {
  await mkdir(folder)
  user = userWith(first, folder)
})

describe.each(kinds)('a new connector of the kind %s', (kind) => {
  const name = `penstock-${kind}-leads`

  it('is made and installed', async () => {
    await user.npm(['create', '--yes', '@penstock/connector', name, '--', '--kind', kind])
    await user.npm(['install'], { in: name })
  })

  it('is typed as it should be', async () => {
    await user.npm(['run', 'typecheck'], { in: name })
  })

  it.each(majors)('conforms, with Node %s', async (major) => {
    const report = await userWith(major, folder).npm(['test'], { in: name })
    expect(report).toContain('1 passed')
    expect(report).not.toContain('failed')
  })

  it.each(majors)('has a scorecard of its whole suite, with Node %s', async (major) => {
    const of = userWith(major, folder)
    await of.npm(['run', 'harness', '--', '--out', 'scorecards'], { in: name })
    const path = join(folder, name, 'scorecards', `${kind}-leads.json`)
    const score = JSON.parse(await readFile(path, 'utf8')) as Score
    expect(score).toMatchObject({ connector: `${kind}-leads`, failed: 0, package: { name } })
    expect(score.node).toMatch(new RegExp(`^${major}\\.`))
    expect(score.results.filter(({ status, reason }) => status === 'skipped' && !reason)).toEqual([])
    // More than what a definition alone shows.
    expect(score.passed).toBeGreaterThan(20)
  })

  it('packs what its users need, and nothing else', async () => {
    const [packed] = JSON.parse(await user.npm(['pack', '--json'], { in: name })) as [
      { files: { path: string }[] },
    ]
    const paths = packed.files.map(({ path }) => path)
    expect(paths).toEqual(
      expect.arrayContaining(['LICENSE', 'README.md', 'dist/index.d.ts', 'dist/index.js', 'package.json']),
    )
    expect(paths.filter((path) => /^(src|test)|tsconfig|\.test\./.test(path))).toEqual([])
  })
})

describe('the command line in a project that has them', () => {
  const project = join(folder, 'project')

  it('lists all of them by name, without a complaint', async () => {
    await mkdir(project)
    await user.npm(['init', '--yes'], { in: 'project' })
    const tarballs = kinds.map((kind) => `../penstock-${kind}-leads/penstock-${kind}-leads-0.0.0.tgz`)
    await user.npm(['install', 'penstock', ...tarballs], { in: 'project' })
    const { connectors } = JSON.parse(await user.penstock(['connectors', '--json'], { in: 'project' })) as {
      connectors: { reference: string; origin: string; error?: unknown }[]
    }
    expect(
      connectors
        .filter(({ origin }) => origin === 'installed')
        .map(({ reference, error }) => [reference, error]),
    ).toEqual([...kinds].sort().map((kind) => [`penstock-${kind}-leads`, undefined]))
  })

  it('can be scored by its users, who have no fixture', async () => {
    await user.npm(['install', '--save-dev', '@penstock/harness'], { in: 'project' })
    const args = [
      '--no',
      '--',
      '@penstock/harness',
      ...kinds.map((kind) => `penstock-${kind}-leads`),
      '--json',
    ]
    const scores = JSON.parse(await user.run('npx', args, { in: 'project' })) as Score[]
    expect(scores.map(({ connector, failed }) => [connector, failed])).toEqual(
      kinds.map((kind) => [`${kind}-leads`, 0]),
    )
    for (const { results } of scores)
      expect(results.find(({ id }) => id === 'check/succeeds')).toMatchObject({
        status: 'skipped',
        reason: 'The package does not ship its fixture.',
      })
  })

  it('has the commands of the actions', async () => {
    expect(await user.penstock(['--help'], { in: 'project' })).toMatch(/^INSTALLED\n {2}leads /m)
    expect(await user.penstock(['leads'], { in: 'project' })).toContain('leads create-ticket, leads new')
    expect(await user.penstock(['leads', 'new', '--help'], { in: 'project' })).toContain('--hours')
  })

  it('installs one for all projects, and removes it', async () => {
    const inEmpty = { in: 'elsewhere' }
    await mkdir(join(folder, 'elsewhere'))
    await user.npm(['init', '--yes'], inEmpty)
    await user.npm(['install', 'penstock'], inEmpty)
    const tarball = '../penstock-actions-leads/penstock-actions-leads-0.0.0.tgz'
    await user.penstock(['connectors', 'install', tarball], inEmpty)
    expect(await user.penstock(['leads'], inEmpty)).toContain('leads close-ticket')
    await user.penstock(['connectors', 'uninstall', 'penstock-actions-leads'], inEmpty)
    await user.penstock(['leads'], { ...inEmpty, code: 2 })
  })
})
