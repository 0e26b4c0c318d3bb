import { connect, type DestinationCapabilities, defineDestination, type ExportFormat } from '@penstock/core'
import { z } from 'zod'

/* Right and wrong uses of the destination contract. `tsc` proves both: a wrong use that compiles is an unused directive. */

const config = z.object({ folder: z.string() })
const options = z.strictObject({ maxRows: z.int().optional() })
const capabilities = { modes: ['append'], fileTypes: ['parquet'] } as const
const format: ExportFormat = { type: 'parquet', compression: 'zstd' }
const check = async () => {}

const right = defineDestination({
  name: 'ok',
  config,
  options,
  capabilities,
  check,
  write: async (context, { run, options, streams }) => {
    const folder: string = context.config.folder
    const maxRows: number | undefined = options.maxRows
    const files = []
    for (const stream of streams)
      for await (const { part, rows, size } of stream.files({
        format,
        ...(maxRows !== undefined && { maxRows }),
      }))
        files.push({ stream: stream.name, name: `${folder}/${run.commitId}-${part}`, rows, size })
    return { files }
  },
})
connect(right, { folder: '/tmp' })

// @ts-expect-error a field that the configuration does not have
connect(right, { folder: '/tmp', bucket: 'b' })
// @ts-expect-error a field that is missing
connect(right, {})

// @ts-expect-error a mode that does not exist
const wrongMode = { modes: ['replace'], fileTypes: [] } satisfies DestinationCapabilities
// @ts-expect-error a file type that does not exist
const wrongType = { modes: ['append'], fileTypes: ['xml'] } satisfies DestinationCapabilities
void wrongMode
void wrongType
// @ts-expect-error nothing is told of what was written
defineDestination({ name: 'silent', config, capabilities, check, write: async () => {} })
// @ts-expect-error a destination that can't write
defineDestination({ name: 'unable', config, capabilities, check })

defineDestination({
  name: 'options',
  config,
  options,
  capabilities,
  check,
  write: async (_context, request) => {
    // @ts-expect-error an option that the schema does not have
    void request.options.maxBytes
    // @ts-expect-error the type of an option is that of the schema
    const text: string = request.options.maxRows
    return { files: [{ stream: text, name: 'x', rows: 0, size: 0 }] }
  },
})

defineDestination({
  name: 'rows',
  config,
  capabilities,
  check,
  write: async (_context, { streams }) => {
    for (const stream of streams) {
      // @ts-expect-error files need a layout
      stream.files()
      // @ts-expect-error a compression that Parquet does not have
      stream.files({ format: { type: 'parquet', compression: 'bzip2' } })
    }
    return { files: [] }
  },
})

const unsized = async () => ({ files: [{ stream: 'a', name: 'b' }] })
// @ts-expect-error a written file has its rows and its size
defineDestination({ name: 'unsized', config, capabilities, check, write: unsized })
