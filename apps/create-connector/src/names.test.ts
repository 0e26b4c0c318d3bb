import { describe, expect, it } from 'vitest'
import { type Kind, namesOf } from './names.ts'

describe('names of a connector', () => {
  it.each<[string, Kind, string, string]>([
    ['penstock-source-leads', 'source', 'source-leads', 'leads'],
    ['leads', 'source', 'source-leads', 'leads'],
    ['source-leads', 'source', 'source-leads', 'leads'],
    ['acme-source-tickets', 'source', 'source-tickets', 'tickets'],
    ['@crm/penstock-zero-copy-big.query_x', 'zero-copy', 'zero-copy-big-query-x', 'big-query-x'],
    ['@crm/actions-leads2', 'actions', 'actions-leads2', 'leads2'],
    ['source-leads', 'destination', 'destination-source-leads', 'source-leads'],
  ])('%s of the kind %s: %s about %s', (name, kind, connector, subject) => {
    expect(namesOf(name, kind)).toMatchObject({ package: name, connector, subject })
  })

  it('gives words for people and for environment variables', () => {
    expect(namesOf('big-leads', 'actions')).toMatchObject({ title: 'Big leads', variable: 'BIG_LEADS' })
  })

  it.each([
    ['', 'a name is missing'],
    ['Leads', 'lower case: leads'],
    ['le ads', 'letters, digits'],
    ['../leads', 'letters, digits'],
    ['@crm', 'letters, digits'],
    ['.leads', 'letters, digits'],
    ['http', 'a word of Node'],
    ['node_modules', 'a word of Node'],
    ['x'.repeat(215), '214 characters'],
    ['penstock-source-', 'word of the command line'],
    ['source-3d', 'word of the command line'],
    ['a--b', 'word of the command line'],
  ])('refuses %j', (name, problem) => {
    expect(namesOf(name, 'source')).toMatchObject({ problem: expect.stringContaining(problem) })
  })
})
