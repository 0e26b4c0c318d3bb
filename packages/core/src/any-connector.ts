import type { AnyActions } from './actions.ts'
import type { Connection } from './connection.ts'
import type { AnyDestination } from './destination.ts'
import { ConnectorError } from './errors.ts'
import type { AnySource } from './source.ts'
import type { AnyZeroCopy } from './zero-copy.ts'

/** A connector of any kind, as a connection, the project file and the command line handle it. */
export type AnyConnector = AnySource | AnyDestination | AnyZeroCopy | AnyActions

export const connectorKinds = ['source', 'destination', 'zero-copy', 'actions'] as const
export type ConnectorKind = (typeof connectorKinds)[number]

type ConnectorOfKind<Kind extends ConnectorKind> = Extract<AnyConnector, { readonly kind: Kind }>

/** A connector that has to be of a kind. Throws a `config` error that names both kinds. */
export const requireKind = <Kind extends ConnectorKind>(
  connector: AnyConnector,
  kind: Kind,
): ConnectorOfKind<Kind> => {
  if (isOfKind(connector, kind)) return connector
  throw new ConnectorError(
    'config',
    `${connector.name} is a ${describeKind(connector.kind)}, not a ${describeKind(kind)}.`,
    {
      code: 'WrongConnectorKind',
      hint: `Choose a connection of a ${kind} connector.`,
    },
  )
}

const isOfKind = <Kind extends ConnectorKind>(
  connector: AnyConnector,
  kind: Kind,
): connector is ConnectorOfKind<Kind> => connector.kind === kind

/** The connection again, when its connector is of this kind. Throws like {@link requireKind}. */
export const connectionOfKind = <Kind extends ConnectorKind>(
  connection: Connection,
  kind: Kind,
): Connection<ConnectorOfKind<Kind>> => {
  requireKind(connection.connector, kind)
  return connection as Connection<ConnectorOfKind<Kind>>
}

const describeKind = (kind: ConnectorKind): string => (kind === 'actions' ? 'set of actions' : kind)
