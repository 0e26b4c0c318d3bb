import { resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { type Questions, requestOf } from './request.ts'

const questions: Questions = { kind: async () => 'actions', name: async () => '@crm/leads' }

describe('the command line', () => {
  it('takes name, kind and folder', async () => {
    expect(await requestOf(['leads', '--kind', 'source', '--folder', 'here'], undefined)).toMatchObject({
      kind: 'source',
      names: { package: 'leads', connector: 'source-leads' },
      folder: resolve('here'),
    })
  })

  it('asks for what is missing, where somebody can answer', async () => {
    expect(await requestOf([], questions)).toMatchObject({
      kind: 'actions',
      names: { package: '@crm/leads' },
      folder: resolve('leads'),
    })
  })

  it.each([
    [['--help'], 'help'],
    [['-v'], 'version'],
  ])('%j asks nothing', async (argv, wanted) => {
    expect(await requestOf(argv, undefined)).toBe(wanted)
  })

  it.each([
    [[], 'the kind is missing'],
    [['--kind', 'source'], 'the name of the new package is missing'],
    [['leads'], 'the kind is missing'],
    [['leads', '--kind', 'sink'], '"sink" is no kind of connector: source,'],
    [['leads', 'more', '--kind', 'source'], 'one name is enough'],
    [['Leads', '--kind', 'source'], `"Leads" can't be the name`],
    [['leads', '--color'], "unknown option '--color'"],
  ])('%j is refused', async (argv, message) => {
    await expect(requestOf(argv, undefined)).rejects.toThrow(message)
  })
})
