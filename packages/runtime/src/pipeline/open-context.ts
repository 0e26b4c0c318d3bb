import { type Connection, ConnectorError } from '@penstock/core'
import type { PipelineContext } from './context.ts'

/** All connections of a pipeline, opened before anything runs: what is missing is told at once. */
export const openPipelineConnections = async (
  names: readonly string[],
  open: (name: string) => Promise<Connection>,
): Promise<ReadonlyMap<string, Connection>> => {
  const connections = new Map<string, Connection>()
  for (const name of names) connections.set(name, await open(name))
  return connections
}

/** The context of a pipeline whose connections are open. */
export const pipelineContext = ({
  connections,
  ...context
}: Omit<PipelineContext, 'openConnection'> & {
  readonly connections: ReadonlyMap<string, Connection>
}): PipelineContext => ({
  ...context,
  openConnection: async (name) => {
    const connection = connections.get(name)
    if (connection) return connection
    throw new ConnectorError('internal', `The connection ${name} was not opened.`)
  },
})
