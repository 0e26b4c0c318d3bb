import type { LogicalType } from '@penstock/core'

const int = (bits: 8 | 16 | 32 | 64 | 128): LogicalType => ({ type: 'int', bits, signed: true })
const timestamp = (zoned: boolean): LogicalType => ({ type: 'timestamp', unit: 'us', zoned })

/** Names that SQL users write for types, as {@link parseType} takes them. */
const names: Record<string, LogicalType> = {
  boolean: { type: 'boolean' },
  bool: { type: 'boolean' },
  tinyint: int(8),
  smallint: int(16),
  integer: int(32),
  int: int(32),
  bigint: int(64),
  hugeint: int(128),
  float: { type: 'float' },
  real: { type: 'float' },
  double: { type: 'double' },
  text: { type: 'string' },
  varchar: { type: 'string' },
  string: { type: 'string' },
  date: { type: 'date' },
  time: { type: 'time' },
  timestamp: timestamp(false),
  datetime: timestamp(false),
  timestamptz: timestamp(true),
  'timestamp with time zone': timestamp(true),
  uuid: { type: 'uuid' },
  json: { type: 'json' },
  binary: { type: 'binary' },
  blob: { type: 'binary' },
}

/** Reads a type name such as `bigint` or `decimal(18,2)`; undefined when it is none. */
export const parseType = (name: string): LogicalType | undefined => {
  const normal = name.trim().toLowerCase().replace(/\s+/g, ' ')
  const decimal = /^(?:decimal|numeric)\((\d+)(?:, ?(\d+))?\)$/.exec(normal)
  if (!decimal) return names[normal]
  const precision = Number(decimal[1])
  const scale = Number(decimal[2] ?? 0)
  return precision >= 1 && precision <= 38 && scale <= precision
    ? { type: 'decimal', precision, scale }
    : undefined
}
