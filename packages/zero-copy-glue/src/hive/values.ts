import { ConnectorError, type LogicalType, type Scalar } from '@penstock/core'

/** Hive's null among the values of partitions. */
const hiveNull = '__HIVE_DEFAULT_PARTITION__'

const msOfDay = 86_400_000

/** A value of a partition, which Glue keeps as text, in the form that the column has. Throws `data` for another text. */
export const partitionValue = (text: string, type: LogicalType, column: string): Scalar | null => {
  if (text === hiveNull) return null
  const value = parseScalar(text, type)
  if (value !== undefined) return value
  throw new ConnectorError('data', `Partition value "${text}" of column ${column} is no ${type.type}.`, {
    code: 'InvalidPartition',
    place: { column, value: text },
  })
}

const parseScalar = (text: string, type: LogicalType): Scalar | undefined => {
  switch (type.type) {
    case 'string':
      return text
    case 'boolean':
      return /^(true|false)$/i.test(text) ? text.toLowerCase() === 'true' : undefined
    case 'int':
      return /^[+-]?\d+$/.test(text) ? BigInt(text) : undefined
    case 'float':
    case 'double':
      return text !== '' && !Number.isNaN(Number(text)) ? Number(text) : undefined
    case 'decimal':
      return unscaled(text, type.scale)
    case 'date': {
      const days = Date.parse(`${text}T00:00:00Z`) / msOfDay
      return Number.isNaN(days) ? undefined : BigInt(days)
    }
    case 'timestamp': {
      const [, seconds, fraction = ''] =
        /^(\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?$/.exec(text) ?? []
      if (seconds === undefined) return undefined
      const ms = Date.parse(`${seconds.replace(' ', 'T')}Z`)
      return Number.isNaN(ms) ? undefined : BigInt(ms) * 1000n + BigInt(fraction.padEnd(6, '0').slice(0, 6))
    }
    default:
      return undefined
  }
}

/** `12.5` at scale 2 is 1250; digits beyond the scale are not dropped in silence. */
const unscaled = (text: string, scale: number): bigint | undefined => {
  const [, sign, whole = '', fraction = ''] = /^([+-]?)(\d*)(?:\.(\d*))?$/.exec(text) ?? []
  const kept = fraction.replace(/0+$/, '')
  if (whole === '' && fraction === '') return undefined
  if (kept.length > scale) return undefined
  const digits = BigInt(`${whole || '0'}${kept.padEnd(scale, '0')}`)
  return sign === '-' ? -digits : digits
}
