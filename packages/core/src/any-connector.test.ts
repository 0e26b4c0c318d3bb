import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { connectionOfKind, requireKind } from './any-connector.ts'
import { connect } from './connection.ts'
import { defineDestination } from './destination.ts'

const folder = defineDestination({
  name: 'destination-folder',
  config: z.object({ path: z.string() }),
  capabilities: { modes: ['append'], fileTypes: ['csv'] },
  check: async () => {},
  write: async () => ({ files: [] }),
})

describe('requireKind', () => {
  it('gives the connector, typed by its kind', () => {
    expect(requireKind(folder, 'destination').capabilities.modes).toEqual(['append'])
    const connection = connect(folder, { path: '/x' })
    expect(connectionOfKind(connection, 'destination').config).toEqual({ path: '/x' })
  })

  it('names both kinds when they differ', () => {
    expect(() => requireKind(folder, 'source')).toThrow('destination-folder is a destination, not a source.')
  })
})
