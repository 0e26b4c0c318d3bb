// biome-ignore-all lint/suspicious/noTemplateCurlyInString: that is how references are written
import { type PrintedPolicies, region } from './account.ts'
import type { Stage } from './story.ts'
import { expectEqual, expectText } from './terminal.ts'

/** A table of another team, catalogued in Glue, joined with a loaded one where it is. */
export const askInPlace = async ({ terminal, account }: Stage): Promise<void> => {
  const { say, penstock, heading } = terminal
  await account.createProfiles()
  const { endpoint, log } = account.aws
  heading('Ask in place')
  say(`Another team keeps an Iceberg table, crm.profiles: who our customers are, 17 files by month of
    birth. It stays where it is. A connection to its catalog, AWS Glue, with a role of its own:`)
  const set = (field: string, value: string) => ['--set', `${field}=${value}`]
  await penstock(
    [
      ...['connect', 'glue', '--connector', 'zero-copy-glue', '--auth', 'assumed-role'],
      ...set('region', region),
      ...set('endpoint', endpoint),
      ...set('stsEndpoint', endpoint),
      ...set('catalogEndpoint', `${endpoint}/iceberg`),
      ...set('auth.roleArn', account.queryRoleArn),
      ...set('auth.source.accessKeyId', '${env:LAKE_KEY_ID}'),
      ...set('auth.source.secretAccessKey', '${env:LAKE_SECRET}'),
    ],
    { lines: 1 },
  )
  const printed = await penstock(['policy', 'glue', '--json'], { lines: 0 })
  const policies: PrintedPolicies = JSON.parse(printed.text)
  account.createQueryRole(policies)
  say('This role too now has exactly the policies that were printed. What is in the catalog?')
  const namespaces = await penstock(['namespaces', 'glue'])
  expectText('The namespaces', namespaces.text, ['crm'])
  say('Who was born since 1990, with what they ordered here? Only the files that may know are read.')
  const before = log.entries().length
  const sql =
    'select first_name, city, dt as born, count(*) as orders from crm.profiles ' +
    "join customers on customer_id = lpad(l::varchar, 5, '0') join orders using (customer_id) " +
    "where dt >= date '1990-01-01' group by all order by born"
  const answer = await penstock(['query', sql, '--connection', 'glue', '--from', 'warehouse.duckdb'])
  expectText('The answer in place', answer.text, ['1991-05-13', '1995-07-15', '3 of 17 files'])
  const files = log
    .entries()
    .slice(before)
    .flatMap(({ operation, key = '' }) =>
      operation === 'GetObject' && key.endsWith('.parquet') ? [key] : [],
    )
  expectEqual('Files of the table that were read', new Set(files).size, 3)
}
