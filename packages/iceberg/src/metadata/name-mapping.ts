import { type JsonValue, parseLosslessJson } from '../json/scanner.ts'
import { arrayAt, integerAt, objectOf } from './json-access.ts'

/** Names by which files without field ids know each field, by field id (of nested fields, too). */
export type NameMapping = ReadonlyMap<number, readonly string[]>

/** The table property `schema.name-mapping.default`, https://iceberg.apache.org/spec/#name-mapping-serialization. */
export const parseNameMapping = (text: string | undefined): NameMapping | undefined => {
  if (text === undefined) return undefined
  const names = new Map<number, readonly string[]>()
  const add = (fields: readonly JsonValue[]): void => {
    for (const json of fields) {
      const field = objectOf(json, 'schema.name-mapping.default')
      // A mapping without id stands for a column that the table does not have.
      if (field['field-id'] !== undefined && field['field-id'] !== null)
        names.set(integerAt(field, 'field-id'), arrayAt(field, 'names').map(String))
      if (Array.isArray(field.fields)) add(field.fields)
    }
  }
  const json = parseLosslessJson(text)
  if (!Array.isArray(json)) throw new TypeError('"schema.name-mapping.default" is not a list')
  add(json)
  return names
}
