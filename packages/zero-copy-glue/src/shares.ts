import type { CatalogTable } from '@penstock/core'
import { levelsOf, type ZeroCopyConfig } from './config.ts'

export interface Share {
  readonly namespace: readonly string[]
  readonly tables?: readonly string[]
}

/** What the connection is limited to; undefined: everything. */
export const sharesOf = (config: ZeroCopyConfig): readonly Share[] | undefined =>
  config.shares?.map(({ namespace, tables }) => ({
    namespace: levelsOf(config, namespace),
    ...(tables === undefined ? {} : { tables }),
  }))

const same = (left: readonly string[], right: readonly string[]): boolean =>
  left.length === right.length && left.every((level, index) => level === right[index])

export const isSharedNamespace = (config: ZeroCopyConfig, namespace: readonly string[]): boolean =>
  sharesOf(config)?.some((share) => same(share.namespace, namespace)) ?? true

export const isShared = (config: ZeroCopyConfig, table: CatalogTable): boolean =>
  sharesOf(config)?.some(
    ({ namespace, tables }) => same(namespace, table.namespace) && (tables?.includes(table.name) ?? true),
  ) ?? true
