import { XMLParser, XMLValidator } from 'fast-xml-parser'
import { S3Error } from './errors.ts'

const namespace = 'http://s3.amazonaws.com/doc/2006-03-01/'

export const xmlDocument = (root: string): string => `<?xml version="1.0" encoding="UTF-8"?>\n${root}`

/** A document whose root is in S3's namespace. */
export const s3Document = (name: string, content: string): string =>
  xmlDocument(`<${name} xmlns="${namespace}">${content}</${name}>`)

// XML 1.0 has no control characters but tab, line feed and carriage return; S3 writes the others as references anyway.
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is escaped
const special = /[&<>"\x00-\x08\x0b-\x1f\x7f]/
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is escaped
const specials = /[&<>"\x00-\x08\x0b-\x1f\x7f]/g

function escapeXml(text: string): string {
  if (!special.test(text)) return text
  return text.replace(specials, (character) => {
    if (character === '&') return '&amp;'
    if (character === '<') return '&lt;'
    if (character === '>') return '&gt;'
    if (character === '"') return '&quot;'
    return `&#x${character.charCodeAt(0).toString(16).toUpperCase()};`
  })
}

export const element = (name: string, value: string | number | boolean): string =>
  `<${name}>${escapeXml(String(value))}</${name}>`

/** An element that is left out when it has no value. */
export const optionalElement = (name: string, value: string | number | boolean | undefined): string =>
  value === undefined ? '' : element(name, value)

/** A parsed element: text, or children by name (always lists, as any may repeat). */
export interface XmlNode {
  text: string
  children: Map<string, XmlNode[]>
}

const parser = new XMLParser({
  ignoreAttributes: true,
  ignoreDeclaration: true,
  removeNSPrefix: true,
  parseTagValue: false,
  trimValues: false,
  // Numeric references too: clients send ETags as `&#34;...&#34;` and keys with `&#13;`.
  htmlEntities: true,
  // A repeated tag stays one list; single tags too, so that callers see one form.
  isArray: () => true,
})

/** Parses a request body whose root must be `rootName`; everything else is MalformedXML. */
export function parseXml(body: Buffer, rootName: string): XmlNode {
  const text = body.toString('utf8')
  if (XMLValidator.validate(text) !== true) throw new S3Error('MalformedXML')
  let parsed: unknown
  try {
    parsed = parser.parse(text)
  } catch {
    throw new S3Error('MalformedXML')
  }
  const root = node(parsed).children.get(rootName)?.[0]
  if (!root) throw new S3Error('MalformedXML')
  return root
}

function node(value: unknown): XmlNode {
  if (typeof value !== 'object' || value === null) return { text: String(value ?? ''), children: new Map() }
  const children = new Map<string, XmlNode[]>()
  let text = ''
  for (const [name, entry] of Object.entries(value)) {
    const list: unknown[] = Array.isArray(entry) ? entry : [entry]
    if (name === '#text') text = list.map(String).join('')
    else children.set(name, list.map(node))
  }
  return { text, children }
}

/** Text of the first child of that name. */
export const childText = (parent: XmlNode, name: string): string | undefined =>
  parent.children.get(name)?.[0]?.text
