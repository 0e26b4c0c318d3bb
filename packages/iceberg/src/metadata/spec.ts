import type { JsonValue } from '../json/scanner.ts'
import { parseTransform, type Transform } from '../transforms/transform.ts'
import { arrayAt, integerAt, objectOf, stringAt } from './json-access.ts'

export interface PartitionField {
  /** Columns that the transform takes; more than one only in transforms that are not known here. */
  readonly sourceIds: readonly number[]
  readonly fieldId: number
  readonly name: string
  readonly transform: Transform
}

export interface PartitionSpec {
  readonly specId: number
  readonly fields: readonly PartitionField[]
}

/** A spec of the metadata, or the list of fields that v1 writes for its only one. */
export const parsePartitionSpec = (json: JsonValue): PartitionSpec => {
  const object = Array.isArray(json) ? { 'spec-id': 0, fields: json } : objectOf(json, 'a partition spec')
  return {
    specId: object['spec-id'] === undefined ? 0 : integerAt(object, 'spec-id'),
    fields: arrayAt(object, 'fields').map(parsePartitionField),
  }
}

const parsePartitionField = (json: JsonValue, index: number): PartitionField => {
  const object = objectOf(json, 'a partition field')
  const sourceIds = Array.isArray(object['source-ids'])
    ? arrayAt(object, 'source-ids').map(Number)
    : [integerAt(object, 'source-id')]
  const text = stringAt(object, 'transform')
  return {
    sourceIds,
    // v1 does not write the ids of partition fields: they count from 1000.
    fieldId: object['field-id'] === undefined ? 1000 + index : integerAt(object, 'field-id'),
    name: stringAt(object, 'name'),
    transform: sourceIds.length === 1 ? parseTransform(text) : { kind: 'unknown', text },
  }
}

/** True when all rows are in one partition; a spec whose fields were all voided counts as such. */
export const isUnpartitioned = (spec: PartitionSpec): boolean =>
  spec.fields.every((field) => field.transform.kind === 'void')
