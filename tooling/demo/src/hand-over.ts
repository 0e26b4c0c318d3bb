// biome-ignore-all lint/suspicious/noTemplateCurlyInString: that is how references are written
import { type PrintedPolicies, partnerBucket, region } from './account.ts'
import type { Stage } from './story.ts'
import { expectEqual, expectText } from './terminal.ts'

/** Tables as files in the bucket of a partner: whole, counted in a manifest, under the printed policy alone. */
export const handOver = async ({ terminal, account }: Stage): Promise<void> => {
  const { say, penstock, heading } = terminal
  const { endpoint, s3 } = account.aws
  heading('Hand over')
  say(`A partner wants the paid orders, as gzipped CSV in a bucket of theirs. A destination is a
    connection too, with a role that may write there and nowhere else:`)
  const set = (field: string, value: string) => ['--set', `${field}=${value}`]
  await penstock(
    [
      ...['connect', 'partner', '--connector', 'destination-s3', '--auth', 'assumed-role'],
      ...set('region', region),
      ...set('bucket', partnerBucket),
      ...set('destinationId', 'paid'),
      ...set('endpoint', endpoint),
      ...set('stsEndpoint', endpoint),
      ...set('auth.roleArn', account.exportRoleArn),
      ...set('auth.source.accessKeyId', '${env:LAKE_KEY_ID}'),
      ...set('auth.source.secretAccessKey', '${env:LAKE_SECRET}'),
    ],
    { lines: 1 },
  )
  const printed = await penstock(['policy', 'partner', '--json'], { lines: 0 })
  const policies: PrintedPolicies = JSON.parse(printed.text)
  account.createExportRole(policies)
  say('At most 2,000 rows a file, named by a template; the manifest comes last.')
  const sql = 'select * from orders join payments using (order_id) order by order_id'
  const exported = await penstock([
    ...['export', 'partner', '--sql', sql, '--stream', 'paid', '--from', 'warehouse.duckdb'],
    ...['--file-type', 'csv', '--compression', 'gzip', '--max-rows', '2000', '--manifest'],
    ...['--key-template', '{stream_name}/{iso_date}/paid_{part}.{extension}'],
  ])
  expectText('The export', exported.text, ['paid', '4,000'])
  const files = s3.listKeys(partnerBucket).filter((key) => key.endsWith('.csv.gz'))
  expectEqual('Files of the partner', files.length, 2)
  const [manifest = ''] = s3.listKeys(partnerBucket).filter((key) => key.includes('/manifest-'))
  const { exportResults }: Manifest = JSON.parse((await s3.getObject(partnerBucket, manifest)).toString())
  say('The manifest names each file, for whoever fetches them:')
  terminal.show(
    exportResults.map(({ name, size, rows }) => `${name}  ${size} bytes  ${rows} rows`).join('\n'),
  )
  expectEqual(
    'Rows of the manifest',
    exportResults.map(({ rows }) => rows),
    [2000, 2000],
  )
}

interface Manifest {
  readonly exportResults: readonly { readonly name: string; readonly size: number; readonly rows: number }[]
}
