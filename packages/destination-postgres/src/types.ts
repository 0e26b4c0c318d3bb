import { type Column, ConnectorError, describeType, type LogicalType } from '@penstock/core'

/** Types that hold other values, and so are JSON in PostgreSQL. A list of scalars is an array. */
const isNested = (type: LogicalType): boolean =>
  type.type === 'list' ||
  type.type === 'struct' ||
  type.type === 'map' ||
  (type.type === 'other' && /[[(]/.test(type.name) && !isEnum(type.name))

/** A user's enum has a name of its own; only its values make it one. */
const isEnum = (name: string): boolean => /^ENUM\b/i.test(name)

/**
 * The type of a column that is created. Undefined for what PostgreSQL has no type for that keeps every value:
 * nanoseconds, bit strings and other types of the engine alone.
 */
export const postgresType = (type: LogicalType): string | undefined => {
  switch (type.type) {
    case 'boolean':
    case 'uuid':
    case 'date':
    case 'interval':
      return type.type
    case 'time':
      return 'time without time zone'
    case 'string':
    case 'null':
      return 'text'
    case 'binary':
      return 'bytea'
    case 'json':
    case 'struct':
    case 'map':
      return 'jsonb'
    case 'int':
      return integerType(type.bits, type.signed)
    case 'float':
      return 'real'
    case 'double':
      return 'double precision'
    case 'decimal':
      return `numeric(${type.precision},${type.scale})`
    case 'timestamp':
      if (type.unit === 'ns') return undefined
      return type.zoned ? 'timestamp with time zone' : 'timestamp without time zone'
    case 'list': {
      if (isNested(type.element)) return 'jsonb'
      const element = postgresType(type.element)
      return element && `${element}[]`
    }
    case 'other':
      if (isEnum(type.name)) return 'text'
      if (/^TIME WITH TIME ZONE$/i.test(type.name)) return 'time with time zone'
      return isNested(type) ? 'jsonb' : undefined
  }
}

/** PostgreSQL has no unsigned integers, none of 8 and none of 128 bits: the next that holds all values. */
const integerType = (bits: 8 | 16 | 32 | 64 | 128, signed: boolean): string => {
  const needed = signed ? bits : bits + 1
  if (needed <= 16) return 'smallint'
  if (needed <= 32) return 'integer'
  if (needed <= 64) return 'bigint'
  return bits === 64 ? 'numeric(20,0)' : 'numeric(39,0)'
}

/** {@link postgresType}, or a `config` error that says how to make one that there is. */
export const requireType = ({ name, type }: Column, stream: string): string => {
  const found = postgresType(type)
  if (found !== undefined) return found
  const nanoseconds = type.type === 'timestamp'
  const target = nanoseconds ? 'TIMESTAMP' : 'VARCHAR'
  throw new ConnectorError(
    'config',
    `Column "${name}" of ${stream} is ${describeType(type)}, and PostgreSQL has ${nanoseconds ? 'microseconds' : 'no such type'}.`,
    {
      code: 'UnsupportedType',
      place: { table: stream, column: name },
      hint: `Export a SELECT that casts it: CAST("${name}" AS ${target}).`,
    },
  )
}

/** A column's type as `format_type` writes it, in parts. */
export interface TargetType {
  /** `numeric(18,2)`, `timestamp(3) without time zone`, `text[]`. Of a domain, the type below it. */
  readonly name: string
  readonly isEnum: boolean
}

interface TypeParts {
  readonly base: string
  readonly parameters: readonly number[]
}

const partsOf = (name: string): TypeParts => {
  const match = /^(.*?)\(([\d,-]+)\)(.*)$/.exec(name)
  if (!match) return { base: name, parameters: [] }
  const [, before = '', numbers = '', after = ''] = match
  return { base: before + after, parameters: numbers.split(',').map(Number) }
}

const texts = ['text', 'character varying', 'citext']
const integers = ['smallint', 'integer', 'bigint']

/**
 * True when an existing column takes the text of every value as it is, or refuses it with an error: never when it
 * would round, cut or reinterpret a value without a word.
 */
export const takesType = (target: TargetType, type: LogicalType): boolean => {
  if (type.type === 'null') return true
  if (type.type === 'list' && !isNested(type.element))
    return target.name.endsWith('[]')
      ? takesType({ name: target.name.slice(0, -2), isEnum: target.isEnum }, type.element)
      : texts.includes(target.name)
  const { base, parameters } = partsOf(target.name)
  if (texts.includes(base)) return type.type !== 'binary'
  if (isNested(type) || type.type === 'json') return base === 'jsonb' || base === 'json'
  /** Digits after the point; more are rounded. */
  const scale = parameters[1] ?? 0
  const exactNumber = base === 'numeric' && parameters.length === 0
  const fraction = parameters[0] ?? 6
  switch (type.type) {
    case 'int':
      if (integers.includes(base) || exactNumber) return true
      if (base === 'numeric') return scale >= 0
      return (base === 'double precision' && type.bits <= 32) || (base === 'real' && type.bits <= 16)
    case 'float':
      return exactNumber || base === 'real' || base === 'double precision'
    case 'double':
      return exactNumber || base === 'double precision'
    case 'decimal':
      return exactNumber || (base === 'numeric' && scale >= type.scale)
    case 'timestamp': {
      const digits = { s: 0, ms: 3, us: 6, ns: 9 }[type.unit]
      return base === `timestamp ${type.zoned ? 'with' : 'without'} time zone` && fraction >= digits
    }
    case 'time':
      return base === 'time without time zone' && fraction === 6
    case 'interval':
      return base === 'interval' && fraction === 6
    case 'date':
      return base === 'date' || base === 'timestamp without time zone'
    case 'string':
      return target.isEnum || ['uuid', 'json', 'jsonb'].includes(base)
    case 'binary':
      return base === 'bytea'
    case 'other':
      return isEnum(type.name) ? target.isEnum : base === postgresType(type)
    default:
      return base === type.type
  }
}
