import type { AnyConnector, Connection, ErrorRecord, ScanCache, TableEngine } from '@penstock/core'
import {
  connectionNamed,
  openConnection,
  openProject,
  type Project,
  type ResourceOptions,
} from '@penstock/runtime'

/** A connector that connections can be made of. */
export interface HostConnector {
  readonly reference: string
  readonly origin: 'built-in' | 'installed' | 'user'
  /** Absent for one that can't be used, which has an error. */
  readonly connector?: AnyConnector
  readonly error?: ErrorRecord
}

/** What the program that shows the web view brings: connectors and an engine are its own. */
export interface UiHost {
  readonly version: string
  /** Project file: the one that the web view shows and edits. */
  readonly file: string
  /** The connector that `connector:` of a connection names. */
  readonly loadConnector: (reference: string, projectFolder: string) => Promise<AnyConnector>
  readonly knownConnectors: (projectFolder: string) => Promise<readonly HostConnector[]>
  readonly openEngine: (
    path: string,
    options: ResourceOptions & { readonly readOnly?: boolean; readonly contained?: boolean },
  ) => Promise<TableEngine>
  /** Where queries in place stage and cache what they read. */
  readonly inPlace: { readonly stagingFolder: string; readonly cache?: ScanCache | undefined }
  /** Hides known secrets in plain data that goes out. */
  readonly redact: (value: unknown) => unknown
  readonly addSecrets: (secrets: readonly string[]) => void
}

/** The project as it stands now: the command line, an editor or git may have changed it. */
export const projectOf = ({ file }: UiHost): Promise<Project> => openProject({ cwd: '.', given: file })

export const connectorOf = (host: UiHost, project: Project, name: string): Promise<AnyConnector> =>
  host.loadConnector(connectionNamed(project, name).connector, project.folder)

/** A connection ready for use. Its secrets are hidden from every answer from now on. */
export const useConnection = async (
  host: UiHost,
  project: Project,
  name: string,
  options: { secrets?: 'required' | 'optional' } = {},
): Promise<Connection> => {
  const connection = await openConnection(project, name, await connectorOf(host, project, name), options)
  host.addSecrets(connection.secrets())
  return connection
}

/** An engine for the time of `use`; it is closed however that ends. */
export const withEngine = async <Result>(
  host: UiHost,
  path: string,
  options: Parameters<UiHost['openEngine']>[1],
  use: (engine: TableEngine) => Promise<Result>,
): Promise<Result> => {
  const engine = await host.openEngine(path, options)
  try {
    return await use(engine)
  } finally {
    await engine.close()
  }
}
