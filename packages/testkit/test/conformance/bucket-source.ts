import { createHash } from 'node:crypto'
import {
  type ConnectorContext,
  ConnectorError,
  defineSource,
  type FileEntry,
  fileTable,
} from '@penstock/core'
import { z } from 'zod'

/** Which fault of AWS the source takes for the end of the data, or does not bear. */
export type BucketMutation =
  | 'slow-drip'
  | 'slow-down'
  | 'internal-error'
  | 'expired-token'
  | 'reset'
  | 'reset-body'
  | 'truncate-body'
  | 'corrupt-body'
  | 'hang'
  | 'change-object'

const config = z.strictObject({ url: z.url().describe('URL of the bucket') })

type Context = ConnectorContext<z.output<typeof config>>

/** Files of a bucket that anybody may read, by unsigned requests. */
export const bucketSource = (mutation?: BucketMutation) => {
  const failed = (fault: BucketMutation, what: string): string => {
    if (fault === mutation) return ''
    throw new ConnectorError('network', `The bucket ${what}.`, { hint: 'Try again.' })
  }
  const faultOf: Readonly<Record<number, BucketMutation>> = { 400: 'expired-token', 412: 'change-object' }

  const get = async ({ config: { url } }: Context, path: string, signal: AbortSignal, version?: string) => {
    let response: Response
    try {
      response = await fetch(`${url}${path}`, {
        ...(mutation !== 'hang' && { signal }),
        ...(version !== undefined &&
          mutation !== 'change-object' && { headers: { 'if-match': `"${version}"` } }),
      })
    } catch {
      signal.throwIfAborted()
      return failed('reset', 'does not answer')
    }
    const { status } = response
    if (status >= 400)
      return failed(faultOf[status] ?? (status === 503 ? 'slow-down' : 'internal-error'), `answers ${status}`)
    try {
      return mutation === 'slow-drip' ? await firstPiece(response) : await response.text()
    } catch (error) {
      signal.throwIfAborted()
      const isReset = String((error as Error).cause).includes('ECONNRESET')
      return failed(isReset ? 'reset-body' : 'truncate-body', 'broke off')
    }
  }

  async function* read(context: Context, entry: FileEntry, signal: AbortSignal) {
    // In two requests, as large files are read: both have to be of one version.
    const halves = [await get(context, `/${entry.key}`, signal, entry.version)]
    halves.push(await get(context, `/${entry.key}`, signal, entry.version))
    const [first = '', second = ''] = halves
    const middle = Math.floor(entry.size / 2)
    const text = first.slice(0, middle) + second.slice(middle)
    const sound = createHash('md5').update(text).digest('hex') === entry.version
    if (!sound && mutation !== 'change-object') failed('corrupt-body', 'gave other bytes')
    yield Buffer.from(text)
  }

  return defineSource({
    name: 'source-bucket',
    config,
    check: async (context) => void (await get(context, '?list-type=2', context.signal)),
    tables: (context) => [
      fileTable({
        name: 'files',
        format: () => ({ type: 'csv', compression: 'none' }),
        async *list({ signal }) {
          yield entriesOf(await get(context, '?list-type=2', signal))
        },
        open: (entry) => ({
          entry,
          url: `s3://lake/${entry.key}`,
          read: (range, { signal = context.signal } = {}) => ranged(read(context, entry, signal), range),
        }),
      }),
    ],
  })
}

async function* ranged(chunks: AsyncIterable<Buffer>, range?: { start: number; end: number }) {
  for await (const chunk of chunks) yield range ? chunk.subarray(range.start, range.end) : chunk
}

const firstPiece = async ({ body }: Response): Promise<string> => {
  for await (const chunk of body ?? []) return Buffer.from(chunk).toString()
  return ''
}

const entriesOf = (xml: string): FileEntry[] =>
  [...xml.matchAll(/<Contents>.*?<\/Contents>/gs)].map(([text]) => {
    const field = (name: string) => new RegExp(`<${name}>(.*?)</${name}>`).exec(text)?.[1] ?? ''
    return {
      container: 'lake',
      key: field('Key'),
      version: field('ETag').replaceAll('&quot;', '').replaceAll('"', ''),
      size: Number(field('Size')),
      modified: 0,
    }
  })
