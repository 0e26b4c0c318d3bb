import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { benchExport } from './export.ts'
import { benchExtract } from './extract.ts'
import { benchTransfer } from './transfer.ts'
import { benchZeroCopy } from './zero-copy.ts'

const usage = `pnpm bench extract [--size MiB] [--rounds N] [--latency MS] [--only FORMAT ...]

Formats: csv, csv.gz, ndjson, parquet, small (20,000 objects), idle (a delta with
nothing new over 100,000 objects). Each round measures the floor, DuckDB reading
the same files from local disk, and then the extraction; the ratio is the median
over the rounds, once of the clock and once (cpu) of processor time, which is
steadier where others work on the machine.

pnpm bench export [--size MiB] [--rounds N] [--only FORMAT ...]

Formats: csv, csv.query (a SELECT), csv.gz, ndjson, parquet, 100 parts (of CSV).
Each round measures the floor, DuckDB copying the same rows to the local disk,
and then the export into the embedded S3, which runs on the same cores; cpu is the
ratio of processor time, without that of the embedded S3. Only when
named: large and "10,000 parts", rows of 1 KiB that a query makes up (--size).

pnpm bench transfer [--size MiB] [--objects N] [--keys N] [--rounds N] [--only JOB ...]

Jobs: up, down (one object of --size, 2048 by default), many-up, many-down
(--objects of 10 kB), list (--keys). In one run with bare HTTP (the floor) and
with s5cmd, rclone and awscli where tooling/interop/setup.sh has installed them;
their times are with their start, which is told as well.

pnpm bench zero-copy [--size MiB] [--files N] [--rounds N] [--latency MS ...]
                     [--only QUERY ...] [--without KIND ...] [--python PYTHON]

Ten queries over a partitioned Parquet table in the embedded S3 and Glue (2048 MiB
in 200 files by default), at 0, 20 and 50 ms of latency: in one run with DuckDB
over the same files on local disk (the floor), with the same query again, which
finds what the first one has kept, with downloading the files whole,
and with DuckDB's httpfs (a Python with the packages duckdb and
duckdb-extension-httpfs of one version). Then the same files as an Iceberg table,
by Penstock and by DuckDB's iceberg extension (duckdb-extension-avro and -iceberg
as well). A ratio above 1x says how many times Penstock is faster. Kinds that can
be left out: floor, penstock, again, whole, httpfs, iceberg, extension. All of it
(--rounds 1 --latency 0,20,50) is made to take about 15 minutes on two cores.`

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    size: { type: 'string' },
    objects: { type: 'string', default: '10000' },
    keys: { type: 'string', default: '100000' },
    files: { type: 'string', default: '200' },
    rounds: { type: 'string', default: '3' },
    latency: { type: 'string', multiple: true, default: [] },
    only: { type: 'string', multiple: true, default: [] },
    without: { type: 'string', multiple: true, default: [] },
    folder: { type: 'string', default: join(tmpdir(), 'penstock-bench') },
    python: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
})

const rounds = Number(values.rounds)
const { only, folder } = values
const latencies = values.latency.flatMap((list) => list.split(',')).map(Number)

if (positionals[0] === 'extract' && !values.help)
  await benchExtract({
    bytes: Number(values.size ?? 1024) * 1024 ** 2,
    rounds,
    latencyMs: latencies[0] ?? 30,
    only,
    folder,
  })
else if (positionals[0] === 'export' && !values.help)
  await benchExport({ bytes: Number(values.size ?? 1024) * 1024 ** 2, rounds, only, folder })
else if (positionals[0] === 'transfer' && !values.help)
  await benchTransfer({
    bytes: Number(values.size ?? 2048) * 1024 ** 2,
    objects: Number(values.objects),
    keys: Number(values.keys),
    rounds,
    only,
    folder,
  })
else if (positionals[0] === 'zero-copy' && !values.help)
  await benchZeroCopy({
    bytes: Number(values.size ?? 2048) * 1024 ** 2,
    files: Number(values.files),
    rounds,
    latencies: latencies.length > 0 ? latencies : [0, 20, 50],
    only,
    folder,
    python: values.python,
    without: values.without,
  })
else {
  console.log(usage)
  process.exitCode = values.help ? 0 : 2
}
