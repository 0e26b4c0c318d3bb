import { authorize } from '../iam/authorize.ts'
import type { LogEntry, Principal } from '../types.ts'
import { GlueError } from './errors.ts'

/** One caller's rights; each evaluation goes into the request log. */
export interface GlueAccess {
  /** Account of the caller, whose catalogs are meant where none is named. */
  account: string
  region: string
  /** Throws AccessDeniedException unless the action is allowed on all the resources. */
  require(action: string, resources: readonly string[]): void
}

export function createAccess(options: {
  principal: Principal
  region: string
  context: Record<string, string | undefined>
  log: LogEntry['actions']
}): GlueAccess {
  const { principal, region, context, log } = options
  return {
    account: principal.account,
    region,
    require(action, resources) {
      for (const resource of resources) {
        const resourceAccount = resource.split(':')[4] ?? ''
        const decision = authorize({ principal, action, resource, context, resourceAccount })
        log.push({ action, resource, allowed: decision.allowed })
        if (!decision.allowed) throw new GlueError('AccessDeniedException', decision.message)
      }
    },
  }
}

interface Place {
  account: string
  /** Path of the catalog, empty for the default one. */
  path: string
}

/**
 * What an action on the Data Catalog is evaluated against: the resource and all that it lies in ("Specifying AWS Glue
 * resource ARNs", Glue developer guide). `*` stands for all databases or tables, as list operations need them.
 */
export function glueResources(
  { region }: GlueAccess,
  { account, path }: Place,
  database?: string,
  table?: string,
): string[] {
  const arn = (kind: string, ...names: string[]) =>
    `arn:aws:glue:${region}:${account}:${[kind, ...(path === '' ? [] : [path]), ...names].join('/')}`
  const resources = path === '' ? [] : [`arn:aws:glue:${region}:${account}:catalog`]
  resources.push(arn('catalog'))
  if (database !== undefined) resources.push(arn('database', database))
  if (database !== undefined && table !== undefined) resources.push(arn('table', database, table))
  return resources
}
