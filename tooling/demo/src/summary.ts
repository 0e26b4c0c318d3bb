import { join } from 'node:path'
import type { Stage } from './story.ts'
import { expectEqual } from './terminal.ts'
import { warehouseAt } from './warehouse.ts'

/** What was shown, in numbers that come from the server's log and the database, and where to go on. */
export const tellSummary = async ({ terminal, account, folder }: Stage, tookMs: number): Promise<void> => {
  const warehouse = warehouseAt(join(folder, 'warehouse.duckdb'))
  const rows = await warehouse.value(
    'SELECT (SELECT count(*) FROM customers) + (SELECT count(*) FROM orders) + ' +
      '(SELECT count(*) FROM events) + (SELECT count(*) FROM payments)',
  )
  const requests = account.requests()
  expectEqual('Requests that met a fault', requests.faults, 2)
  expectEqual('Requests that change something elsewhere', requests.writing, [])
  const { heading, say, show } = terminal
  heading('In numbers')
  show(
    [
      `objects loaded    ${account.aws.s3.listKeys('sales').length}, of four kinds of files`,
      `rows in tables    ${Number(rows).toLocaleString('en')}, and 1 put aside with its place`,
      `requests sent     ${requests.s3} to S3 (writing: partner alone), ${requests.sts} to STS, ${requests.glue} to Glue`,
      `faults survived   ${requests.faults} (503 Slow Down, connection cut)`,
      `time              ${(tookMs / 1000).toFixed(1)} s`,
    ].join('\n'),
  )
  say('Next, with an S3 on your machine, or with a bucket of yours (README.md):')
  show('npx --yes pnpm@12 penstock dev aws --sample\nnpx --yes pnpm@12 penstock --help')
}
