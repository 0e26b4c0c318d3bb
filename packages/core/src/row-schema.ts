import { z } from 'zod'
import { bigint, type Column, type LogicalType, type TableSchema, text } from './types.ts'

/** Schema of an exact decimal column; rows carry it as text, so that no digit passes through a float. */
export const decimal = (precision: number, scale: number) =>
  z
    .string()
    .regex(/^-?\d+(\.\d+)?$/)
    .meta({ logicalType: { type: 'decimal', precision, scale } satisfies LogicalType })

/** Columns of the table that rows of this schema fill. */
export const schemaFromRow = (
  row: z.ZodObject,
  options: { key?: readonly string[]; cursor?: string } = {},
): TableSchema => ({
  columns: Object.entries(row.shape).map(([name, schema]) => columnOf(name, schema as z.ZodType)),
  ...options,
})

const columnOf = (name: string, schema: z.ZodType): Column => {
  const description = schema.meta()?.description
  const { inner, nullable } = unwrap(schema)
  return { name, type: logicalType(inner), nullable, ...(description === undefined ? {} : { description }) }
}

const unwrap = (schema: z.ZodType): { inner: z.ZodType; nullable: boolean } => {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodNullable)
    return { ...unwrap(schema.unwrap() as z.ZodType), nullable: true }
  if (schema instanceof z.ZodDefault) return unwrap(schema.unwrap() as z.ZodType)
  return { inner: schema, nullable: false }
}

const logicalType = (schema: z.ZodType): LogicalType => {
  const declared = schema.meta()?.logicalType
  if (declared) return declared as LogicalType
  if (schema instanceof z.ZodBoolean) return { type: 'boolean' }
  if (schema instanceof z.ZodBigInt) return bigint
  if (schema instanceof z.ZodNumberFormat) return schema.format?.includes('int') ? bigint : { type: 'double' }
  if (schema instanceof z.ZodNumber) return schema.format?.includes('int') ? bigint : { type: 'double' }
  if (schema instanceof z.ZodDate || schema instanceof z.ZodISODateTime)
    return { type: 'timestamp', unit: 'us', zoned: true }
  if (schema instanceof z.ZodISODate) return { type: 'date' }
  if (schema instanceof z.ZodUUID) return { type: 'uuid' }
  if (schema instanceof z.ZodString || schema instanceof z.ZodStringFormat || schema instanceof z.ZodEnum)
    return text
  if (schema instanceof z.ZodLiteral && [...schema.values].every((value) => typeof value === 'string'))
    return text
  return { type: 'json' }
}
