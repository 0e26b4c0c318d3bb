import {
  type ColumnPath,
  type ColumnSource,
  ConnectorError,
  type LogicalType,
  type Scalar,
  type ScanColumn,
} from '@penstock/core'
import type { SchemaNode } from './footer.ts'
import { type ThriftStruct, thriftType, withField } from './thrift.ts'

/** A node of the local file's schema: the file's own, under the table's names, without what is not read. */
export interface LocalNode {
  readonly element: ThriftStruct
  readonly name: string
  /** Position of the column in the source's row groups. */
  readonly leaf: number | undefined
  readonly children: readonly LocalNode[]
}

/** A column that all rows of a file share. */
export interface ConstantColumn {
  readonly name: string
  readonly type: LogicalType
  readonly value: Scalar
}

/** A field of a struct that a file lacks, with the value that it has where the struct is not null. */
export interface FieldDefault {
  readonly path: ColumnPath
  readonly value: Scalar
}

/** Where a column of the table is in a file. */
export interface ColumnMapping {
  readonly nodes: readonly LocalNode[]
  readonly constants: readonly ConstantColumn[]
  /** Columns that are null in all rows of the file. */
  readonly nulls: readonly string[]
  readonly defaults: readonly FieldDefault[]
  /** Structs of which the file has no field that is read: by the field {@link witnessField} they tell where they are null. */
  readonly witnesses: readonly string[]
  /** The column behind a path, for statistics: outside of lists and maps, as `path` names it. */
  leafOf(path: ColumnPath): { readonly node: SchemaNode; readonly type: LogicalType } | undefined
  /** The constant that a path is in this file; undefined where it is none. */
  constantOf(path: ColumnPath): { readonly value: Scalar | null; readonly type: LogicalType } | undefined
}

/** Finds the columns of a scan in a file, by the rules of the scan. `data` errors name what can't be read. */
export const mapColumns = (
  columns: readonly ScanColumn[],
  schema: SchemaNode,
  url: string,
): ColumnMapping => {
  for (const column of columns) refuseAmbiguous(column, schema.children, anyId(schema), url)
  const hasIds = anyId(schema)
  const nodes: LocalNode[] = []
  const constants: ConstantColumn[] = []
  const nulls: string[] = []
  const defaults: FieldDefault[] = []
  const witnesses: string[] = []
  for (const column of columns) {
    const found = find(column.source, schema.children, hasIds)
    if (found.node) {
      const witness = witnessOf(column, found.node, hasIds)
      if (witness) witnesses.push(column.name)
      nodes.push(witness ?? localNode(column, found.node, hasIds, url))
      defaults.push(...fieldDefaults(column, found.node, hasIds, [column.name]))
    } else if (found.value === null) nulls.push(column.name)
    else constants.push({ name: column.name, type: column.type, value: found.value })
  }
  const locate = (path: ColumnPath) => {
    let siblings: readonly ScanColumn[] = columns
    let children = schema.children
    for (const [index, name] of path.entries()) {
      const column = siblings.find((candidate) => candidate.name === name)
      if (!column) return undefined
      const found = find(column.source, children, hasIds)
      if (!found.node) return { value: found.value, type: column.type }
      if (index === path.length - 1) return { node: found.node, type: column.type }
      if (column.type.type !== 'struct') return undefined
      siblings = column.children ?? []
      children = found.node.children
    }
    return undefined
  }
  return {
    nodes,
    constants,
    nulls,
    defaults,
    witnesses,
    leafOf: (path) => {
      const found = locate(path)
      return found?.node?.leaf === undefined ? undefined : { node: found.node, type: found.type }
    },
    constantOf: (path) => {
      const found = locate(path)
      return found && !found.node ? { value: found.value ?? null, type: found.type } : undefined
    },
  }
}

const anyId = (node: SchemaNode): boolean =>
  node.children.some((child) => child.fieldId !== undefined || anyId(child))

type Found =
  | { readonly node: SchemaNode; readonly value?: undefined }
  | { readonly node?: undefined; readonly value: Scalar | null }

const find = (source: ColumnSource, nodes: readonly SchemaNode[], hasIds: boolean): Found => {
  switch (source.from) {
    case 'constant':
      return { value: source.value }
    case 'field-id': {
      const node = hasIds
        ? nodes.find((candidate) => candidate.fieldId === source.id)
        : byName(nodes, source.names ?? [])
      return node ? { node } : { value: source.absent ?? null }
    }
    case 'name': {
      const node = byName(nodes, [source.name])
      return node ? { node } : { value: null }
    }
    case 'position': {
      const node = nodes[source.index]
      return node ? { node } : { value: null }
    }
  }
}

/** Throws for a column that several fields of the file could be: to take one of them, or none, would be a guess. */
const refuseAmbiguous = (
  column: ScanColumn,
  nodes: readonly SchemaNode[],
  hasIds: boolean,
  url: string,
): void => {
  const { source } = column
  const names =
    source.from === 'name' ? [source.name] : source.from === 'field-id' && !hasIds ? (source.names ?? []) : []
  const node = find(source, nodes, hasIds).node
  const similar = node ? [] : names.flatMap((name) => nodes.filter(isNamed(name))).map(({ name }) => name)
  if (similar.length > 1)
    throw unreadable(url, column, `the file has ${similar.join(' and ')}, which differ by case alone`)
  if (node && column.type.type === 'struct')
    for (const child of column.children ?? []) refuseAmbiguous(child, node.children, hasIds, url)
}

const isNamed = (name: string) => (node: SchemaNode) => node.name.toLowerCase() === name.toLowerCase()

/** The first of the names that is there; without regard to case, as Hive and Glue do, only where no other fits. */
const byName = (nodes: readonly SchemaNode[], names: readonly string[]): SchemaNode | undefined => {
  for (const name of names) {
    const exact = nodes.find((node) => node.name === name)
    if (exact) return exact
  }
  for (const name of names) {
    const similar = nodes.filter(isNamed(name))
    if (similar.length === 1) return similar[0]
  }
  return undefined
}

const renamed = (node: SchemaNode, name: string, children: readonly LocalNode[]): LocalNode => {
  const named = withField(node.element, 4, thriftType.binary, new TextEncoder().encode(name))
  // Field ids would be of no use any more; the count of children is that of those which are read.
  const withoutId = withField(named, 9, thriftType.i32, undefined)
  const count = children.length > 0 ? children.length : undefined
  return {
    element: withField(withoutId, 5, thriftType.i32, count),
    name,
    leaf: node.leaf,
    children,
  }
}

const whole = (node: SchemaNode): LocalNode => renamed(node, node.name, node.children.map(whole))

const localNode = (column: ScanColumn, node: SchemaNode, hasIds: boolean, url: string): LocalNode => {
  const children = column.children
  if (!children || children.length === 0 || node.leaf !== undefined)
    return renamed(node, column.name, node.children.map(whole))
  switch (column.type.type) {
    case 'struct':
      return renamed(node, column.name, structChildren(column, children, node, hasIds, url))
    case 'list':
      return renamed(node, column.name, [listBody(children[0] as ScanColumn, node, hasIds, url)])
    case 'map':
      return renamed(node, column.name, [mapBody(children, node, hasIds, url)])
    default:
      return renamed(node, column.name, node.children.map(whole))
  }
}

/** Field of a struct of which nothing else is read. */
export const witnessField = '__penstock_witness'

const witnessOf = (column: ScanColumn, node: SchemaNode, hasIds: boolean): LocalNode | undefined => {
  const [first] = node.children
  const { children = [] } = column
  if (column.type.type !== 'struct' || !first || children.length === 0) return undefined
  if (children.some((child) => find(child.source, node.children, hasIds).node)) return undefined
  return renamed(node, column.name, [renamed(first, witnessField, first.children.map(whole))])
}

const structChildren = (
  column: ScanColumn,
  children: readonly ScanColumn[],
  node: SchemaNode,
  hasIds: boolean,
  url: string,
): LocalNode[] => {
  const kept = children.flatMap((child): LocalNode[] => {
    const found = find(child.source, node.children, hasIds)
    return found.node ? [localNode(child, found.node, hasIds, url)] : []
  })
  if (kept.length > 0) return kept
  throw unreadable(
    url,
    column,
    `the file has none of the fields that are read (${children.map(({ name }) => name).join(', ')})`,
  )
}

/** Defaults of fields within structs; in lists and maps no field may have one. */
const fieldDefaults = (
  column: ScanColumn,
  node: SchemaNode,
  hasIds: boolean,
  path: ColumnPath,
): readonly FieldDefault[] => {
  if (column.type.type !== 'struct') return []
  return (column.children ?? []).flatMap((child): readonly FieldDefault[] => {
    const found = find(child.source, node.children, hasIds)
    const childPath: ColumnPath = [...path, child.name]
    if (found.node) return fieldDefaults(child, found.node, hasIds, childPath)
    return found.value === null ? [] : [{ path: childPath, value: found.value }]
  })
}

/** Throws for a default of a field within a list or a map, which SQL could not put in. */
const refuseDefaults = (column: ScanColumn, node: SchemaNode, hasIds: boolean, url: string): void => {
  const [found] = fieldDefaults(column, node, hasIds, [column.name])
  if (found)
    throw unreadable(url, column, `its field ${found.path.at(-1)} has a default within a list or map`)
}

/** `list` or `array` around `element`, or the repeated element itself in files of old writers. */
const listBody = (element: ScanColumn, node: SchemaNode, hasIds: boolean, url: string): LocalNode => {
  const body = node.children[0]
  if (!body) throw unreadable(url, element, 'the list has no element')
  const isWrapper = body.children.length === 1 && body.name !== 'array' && !body.name.endsWith('_tuple')
  const inner = body.children[0]
  refuseDefaults(element, isWrapper && inner ? inner : body, hasIds, url)
  if (!isWrapper || !inner) return localNode({ ...element, name: body.name }, body, hasIds, url)
  return renamed(body, body.name, [localNode({ ...element, name: inner.name }, inner, hasIds, url)])
}

const mapBody = (
  [key, value]: readonly ScanColumn[],
  node: SchemaNode,
  hasIds: boolean,
  url: string,
): LocalNode => {
  const body = node.children[0]
  const [keyNode, valueNode] = body?.children ?? []
  if (!body || !keyNode) throw unreadable(url, key as ScanColumn, 'the map has no key')
  const entries = [key ? localNode({ ...key, name: keyNode.name }, keyNode, hasIds, url) : whole(keyNode)]
  if (valueNode && value) refuseDefaults(value, valueNode, hasIds, url)
  if (valueNode)
    entries.push(
      value ? localNode({ ...value, name: valueNode.name }, valueNode, hasIds, url) : whole(valueNode),
    )
  return renamed(body, body.name, entries)
}

const unreadable = (url: string, column: ScanColumn, reason: string): ConnectorError =>
  new ConnectorError('data', `Column ${column.name} can't be read from ${url}: ${reason}.`, {
    code: 'UnsupportedColumn',
    place: { object: url, column: column.name },
    hint: 'Leave the column out of the query, or rewrite the file with the current schema of its table.',
  })
