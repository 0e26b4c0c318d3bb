import type { Reply } from '../types.ts'

/** Nested elements; undefined ones are left out. */
export type Elements = { [name: string]: string | number | undefined | Elements }

const namespace = 'https://sts.amazonaws.com/doc/2011-06-15/'
const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }

function render(elements: Elements): string {
  return Object.entries(elements)
    .map(([name, value]) => {
      if (value === undefined) return ''
      const inner = typeof value === 'object' ? render(value) : escapeText(String(value))
      return `<${name}>${inner}</${name}>`
    })
    .join('')
}

function escapeText(text: string): string {
  return text.replace(/[&<>"]/g, (character) => entities[character] ?? character)
}

function reply(status: number, root: string, elements: Elements, requestId: string): Reply {
  return {
    status,
    headers: { 'content-type': 'text/xml', 'x-amzn-requestid': requestId },
    body: `<${root} xmlns="${namespace}">${render(elements)}</${root}>\n`,
  }
}

/** `<AssumeRoleResponse><AssumeRoleResult>...`, as the query protocol of STS has it. */
export function stsResult(operation: string, result: Elements, requestId: string): Reply {
  const elements = { [`${operation}Result`]: result, ResponseMetadata: { RequestId: requestId } }
  return reply(200, `${operation}Response`, elements, requestId)
}

/** STS's error document; `Type` is Sender below status 500. */
export function stsError(code: string, message: string, status: number, requestId: string): Reply {
  const type = status < 500 ? 'Sender' : 'Receiver'
  const elements = { Error: { Type: type, Code: code, Message: message }, RequestId: requestId }
  return reply(status, 'ErrorResponse', elements, requestId)
}
