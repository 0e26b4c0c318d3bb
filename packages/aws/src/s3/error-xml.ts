const entities: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" }

/** Text of an XML element: predefined and numeric entities resolved. */
export const decodeXml = (text: string): string =>
  text.includes('&')
    ? text.replace(/&(#x[\da-f]+|#\d+|\w+);/gi, (whole, name: string) => {
        if (name.startsWith('#x') || name.startsWith('#X'))
          return codePoint(Number.parseInt(name.slice(2), 16), whole)
        if (name.startsWith('#')) return codePoint(Number(name.slice(1)), whole)
        return entities[name] ?? whole
      })
    : text

const codePoint = (value: number, fallback: string): string =>
  value <= 0x10ffff ? String.fromCodePoint(value) : fallback

/** Elements of an error document of S3, by name; those without children only. */
export const errorFields = (xml: string): Readonly<Record<string, string>> => {
  const fields: Record<string, string> = {}
  for (const [, name = '', value = ''] of xml.matchAll(/<([A-Za-z][A-Za-z0-9]*)>([^<]*)<\/\1>/g))
    fields[name] ??= decodeXml(value)
  return fields
}
