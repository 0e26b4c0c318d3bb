import {
  type AnySource,
  ConnectorError,
  type FileEntry,
  type FileTable,
  type SourceTable,
} from '@penstock/core'
import { canonical, endsWhenCancelled, fail, show } from '../expectations.ts'
import { throughProxy } from '../fault-checks.ts'
import type { Check, CheckContext } from '../suite.ts'
import type { SourceOptions } from './options.ts'
import { connectSource, withTables } from './reading.ts'

const isFileTable = (table: SourceTable): table is FileTable => table.kind === 'files'

/** Files whose bytes are read by a check, at most. */
const sampleFiles = 5
/** Bytes of a file that is read as a whole by a check, at most. */
const sampleBytes = 64 * 1024 ** 2

export const listFiles = async (table: FileTable, signal: AbortSignal): Promise<FileEntry[]> => {
  const entries: FileEntry[] = []
  for await (const page of table.list({ signal })) entries.push(...page)
  return entries
}

const bytesOf = async (chunks: AsyncIterable<Uint8Array>): Promise<Buffer> =>
  Buffer.concat(await Array.fromAsync(chunks))

/** Listing and bytes of tables of files. */
export const fileChecks = (connector: AnySource, options: SourceOptions): Check[] => {
  const eachTable = (
    { signal, skip }: CheckContext,
    use: (table: FileTable) => Promise<void>,
    config?: unknown,
  ) =>
    withTables(connectSource(connector, options, config), options, { signal }, async (tables) => {
      const files = tables.filter(isFileTable)
      if (files.length === 0) skip('No table is made of files.')
      for (const table of files) await use(table)
    })

  return [
    {
      id: 'files/listing',
      title: 'A listing is the same twice, without doubles, and names version and size',
      run: (context) =>
        eachTable(context, async (table) => {
          const first = await listFiles(table, context.signal)
          if (canonical(first) !== canonical(await listFiles(table, context.signal)))
            fail(`Table ${table.name} lists other files at the second call.`)
          const keys = new Set(first.map((entry) => `${entry.container}\n${entry.key}`))
          if (keys.size < first.length) fail(`Table ${table.name} lists a file twice.`)
          for (const entry of first)
            if (entry.version === '' || !(entry.size >= 0)) fail(`No version or size: ${show(entry)}.`)
        }),
    },
    {
      id: 'files/formats',
      title: 'The format of every listed file is known',
      run: (context) =>
        eachTable(context, async (table) => {
          for (const entry of await listFiles(table, context.signal))
            if (entry.size > 0 && !table.format(entry)) fail(`The format of ${entry.key} is not known.`)
        }),
    },
    {
      id: 'files/bytes',
      title: 'A file has as many bytes as its entry says, and ranges are parts of it',
      run: (context) =>
        eachTable(context, async (table) => {
          const entries = (await listFiles(table, context.signal)).filter(({ size }) => size <= sampleBytes)
          for (const entry of entries.slice(0, sampleFiles)) {
            const file = table.open(entry)
            const { signal } = context
            const whole = await bytesOf(file.read(undefined, { signal }))
            if (whole.length !== entry.size)
              fail(`${file.url} has ${whole.length} bytes; its entry says ${entry.size}.`)
            const middle = { start: Math.floor(entry.size / 3), end: Math.ceil((entry.size * 2) / 3) }
            if (middle.end <= middle.start) continue
            const part = await bytesOf(file.read(middle, { signal }))
            if (!part.equals(whole.subarray(middle.start, middle.end)))
              fail(`Bytes ${middle.start} to ${middle.end} of ${file.url} are not those of the whole.`)
          }
        }),
    },
    {
      id: 'files/cancelled',
      title: 'A listing and a read end within a second after they were cancelled',
      run: (context) =>
        throughProxy(options, context.skip, (proxy, config) =>
          eachTable(
            context,
            async (table) => {
              const [entry] = await listFiles(table, context.signal)
              const hanging = (what: string, use: (signal: AbortSignal) => Promise<unknown>) =>
                endsWhenCancelled(`${what} of table ${table.name}`, use)
              proxy.inject({ kind: 'hang' })
              await hanging('The listing', (signal) => listFiles(table, signal))
              if (entry)
                await hanging('A read', (signal) => bytesOf(table.open(entry).read(undefined, { signal })))
              proxy.inject(undefined)
            },
            config,
          ),
        ),
    },
    {
      id: 'files/empty',
      title: 'A place without files is listed without an error',
      run: async (context) => {
        const config = options.empty ?? context.skip('No empty configuration was given (empty).')
        await eachTable(
          context,
          async (table) => {
            const entries = await listFiles(table, context.signal)
            if (entries.length > 0) fail(`Table ${table.name} lists ${entries.length} files.`)
          },
          config,
        )
      },
    },
    {
      id: 'files/growth',
      title: 'Further files are listed, and files that did not change keep their version',
      run: async (context) => {
        const grow = options.grow ?? context.skip('No way to add files was given (grow).')
        await eachTable(context, async (table) => {
          const before = await listFiles(table, context.signal)
          await grow()
          const after = new Map((await listFiles(table, context.signal)).map((entry) => [entry.key, entry]))
          for (const entry of before)
            if (canonical(after.get(entry.key)) !== canonical(entry)) fail(`${entry.key} changed its entry.`)
          const former = new Set(before.map((entry) => entry.key))
          if (after.size <= former.size) fail(`Table ${table.name} lists no further file after grow().`)
        })
      },
    },
    {
      id: 'files/changed',
      title: 'A file that was overwritten since its listing is an error, not other bytes',
      run: async (context) => {
        await eachTable(context, async (table) => {
          const change = options.change ?? context.skip('No way to overwrite files was given (change).')
          const before = await listFiles(table, context.signal)
          await change()
          const after = new Map((await listFiles(table, context.signal)).map((entry) => [entry.key, entry]))
          const changed = before.filter((entry) => after.get(entry.key)?.version !== entry.version)
          if (changed.length === 0) fail(`Table ${table.name}: no file has another version after change().`)
          for (const entry of changed) {
            const error = await bytesOf(table.open(entry).read(undefined, { signal: context.signal })).then(
              () => fail(`${entry.key} gives bytes of another version than ${entry.version}.`),
              (reason: unknown) => reason,
            )
            if (!ConnectorError.isInstance(error)) throw error
            if (error.kind !== 'conflict' && error.kind !== 'not-found')
              fail(`${entry.key} is told as ${error.kind}, not as conflict: ${error.message}`)
          }
        })
      },
    },
  ]
}
