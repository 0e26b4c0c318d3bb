import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { benchExtract } from './extract.ts'

const usage = `pnpm bench extract [--size MiB] [--rounds N] [--latency MS] [--only FORMAT ...]

Formats: csv, csv.gz, ndjson, parquet, small (20,000 objects), idle (a delta with
nothing new over 100,000 objects). Each round measures the floor, DuckDB reading
the same files from local disk, and then the extraction; the ratio is the median
over the rounds.`

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    size: { type: 'string', default: '1024' },
    rounds: { type: 'string', default: '3' },
    latency: { type: 'string', default: '30' },
    only: { type: 'string', multiple: true, default: [] },
    folder: { type: 'string', default: join(tmpdir(), 'penstock-bench') },
    help: { type: 'boolean', default: false },
  },
})

if (values.help || positionals[0] !== 'extract') {
  console.log(usage)
  process.exitCode = values.help ? 0 : 2
} else
  await benchExtract({
    bytes: Number(values.size) * 1024 ** 2,
    rounds: Number(values.rounds),
    latencyMs: Number(values.latency),
    only: values.only,
    folder: values.folder,
  })
