import { ConnectorError, type LogicalType } from '@penstock/core'

const simple: Readonly<Record<string, LogicalType>> = {
  boolean: { type: 'boolean' },
  tinyint: { type: 'int', bits: 8, signed: true },
  smallint: { type: 'int', bits: 16, signed: true },
  int: { type: 'int', bits: 32, signed: true },
  integer: { type: 'int', bits: 32, signed: true },
  bigint: { type: 'int', bits: 64, signed: true },
  long: { type: 'int', bits: 64, signed: true },
  float: { type: 'float' },
  real: { type: 'float' },
  double: { type: 'double' },
  string: { type: 'string' },
  binary: { type: 'binary' },
  date: { type: 'date' },
  timestamp: { type: 'timestamp', unit: 'us', zoned: false },
}

/**
 * A type as Hive writes it, `array<struct<a:int,b:decimal(10,2)>>`. Throws `data` for one that is not known here.
 * Source: https://docs.aws.amazon.com/athena/latest/ug/data-types.html
 */
export const parseHiveType = (text: string): LogicalType => {
  let position = 0
  const rest = () => text.slice(position)
  const take = (pattern: RegExp): string | undefined => {
    const found = pattern.exec(rest())?.[0]
    if (found !== undefined) position += found.length
    return found
  }
  const expect = (sign: string): void => {
    take(/^\s*/)
    if (!rest().startsWith(sign)) throw unknown(text)
    position += sign.length
  }

  const parse = (): LogicalType => {
    take(/^\s*/)
    const name = (take(/^[a-z_]+/i) ?? '').toLowerCase()
    switch (name) {
      case 'decimal': {
        const [, precision = '10', scale = '0'] = /^\(\s*(\d+)\s*(?:,\s*(\d+)\s*)?\)/.exec(rest()) ?? []
        take(/^\([^)]*\)/)
        return { type: 'decimal', precision: Number(precision), scale: Number(scale) }
      }
      case 'varchar':
      case 'char':
        take(/^\(\s*\d+\s*\)/)
        return { type: 'string' }
      case 'array': {
        expect('<')
        const element = parse()
        expect('>')
        return { type: 'list', element }
      }
      case 'map': {
        expect('<')
        const key = parse()
        expect(',')
        const value = parse()
        expect('>')
        return { type: 'map', key, value }
      }
      case 'struct':
        return struct()
    }
    const found = Object.hasOwn(simple, name) ? simple[name] : undefined
    if (!found) throw unknown(text)
    return found
  }

  const struct = (): LogicalType => {
    expect('<')
    const fields: { name: string; type: LogicalType }[] = []
    do {
      take(/^\s*/)
      const name = (take(/^(`[^`]+`|[^:<>,]+)/) ?? '').replaceAll('`', '').trim()
      expect(':')
      fields.push({ name, type: parse() })
      take(/^\s*/)
    } while (take(/^,/) !== undefined)
    expect('>')
    return { type: 'struct', fields }
  }

  const type = parse()
  if (rest().trim() !== '') throw unknown(text)
  return type
}

const unknown = (text: string): ConnectorError =>
  new ConnectorError('data', `The type ${text} of Glue can't be read.`, { code: 'UnsupportedType' })
