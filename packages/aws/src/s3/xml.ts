import { createHash } from 'node:crypto'
import { awsFailure } from '../errors/safe-cause.ts'
import { errorFields } from './error-xml.ts'
import type { S3Body, S3Response } from './transport.ts'

const escapes: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  '\r': '&#13;',
  '\n': '&#10;',
  '\t': '&#9;',
}

export const escapeXml = (text: string): string =>
  text.replace(/[&<>"\r\n\t]/g, (character) => escapes[character] ?? character)

/** True when a document of XML 1.0 can hold the text; keys of S3 can have other characters too. */
export const fitsXml = (text: string): boolean =>
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what XML can't hold
  !/[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/.test(text)

const namespace = 'http://s3.amazonaws.com/doc/2006-03-01/'

/** A document as the body of a request, covered by the signature. */
export const xmlBody = (root: string, content: string): S3Body => {
  const bytes = Buffer.from(`<${root} xmlns="${namespace}">${content}</${root}>`)
  return {
    length: bytes.length,
    open: () => bytes,
    sha256: createHash('sha256').update(bytes).digest('hex'),
  }
}

/** Contents of all elements `name`, as XML. */
export const blocks = (xml: string, name: string): string[] =>
  [...xml.matchAll(new RegExp(`<${name}>(.*?)</${name}>`, 'gs'))].map((match) => match[1] ?? '')

/**
 * The text of an answer with the root `root`. Some operations answer 200 before they are through, and may fail after
 * that: an error document is thrown as the error that it is, and an answer that ends early as one of the network.
 */
export const resultXml = async (response: S3Response, root: string): Promise<string> => {
  const xml = await response.body.text()
  // Some stores say Response, where S3 says Result.
  const name = root.replace(/Result$/, '(?:Result|Response)')
  if (new RegExp(`</${name}>|<${name}[^>]*/>`).test(xml)) return xml
  if (xml.includes('<Error>')) {
    const fields = errorFields(xml)
    throw awsFailure({
      code: fields.Code ?? 'InternalError',
      message: fields.Message ?? '',
      status: 500,
      headers: response.headers,
      fields,
    })
  }
  throw Object.assign(new Error('The answer ended early.'), { code: 'TruncatedBody' })
}

/** The elements of such an answer that hold no others. */
export const resultFields = async (
  response: S3Response,
  root: string,
): Promise<Readonly<Record<string, string>>> => errorFields(await resultXml(response, root))
