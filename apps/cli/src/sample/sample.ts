import { gzipSync } from 'node:zlib'
import type { Aws } from '@penstock/testkit'

/** An object of the sample bucket. */
export interface SampleObject {
  readonly key: string
  readonly body: Buffer
}

export const sampleBucket = 'sample'

const names = ['Ada', 'Grace', 'Edsger', 'Barbara', 'Donald', 'Radia', 'Leslie', 'Frances']
const cities = ['Oslo', 'Kraków', 'São Paulo', 'Zürich', '東京', 'Dakar']
const channels = ['web', 'shop', 'phone']
const steps = ['placed', 'paid', 'packed', 'shipped']

const lines = (count: number, line: (index: number) => string): string =>
  Array.from({ length: count }, (_, index) => `${line(index)}\n`).join('')

const customerId = (index: number) => String(1 + (index % 200)).padStart(5, '0')
const day = (index: number) => `2026-04-${String(index).padStart(2, '0')}`

const customers = (): string =>
  `customer_id,name,city,since\n${lines(200, (i) => `${customerId(i)},${names[i % names.length]},${cities[(i * 5) % cities.length]},2025-${String(1 + (i % 12)).padStart(2, '0')}-15`)}`

const orders = (date: number): string =>
  `order_id,customer_id,placed_at,amount,channel\n${lines(1_000, (i) => {
    const minute = `${String(8 + Math.floor(i / 100)).padStart(2, '0')}:${String((i * 7) % 60).padStart(2, '0')}`
    const amount = ((i * 7919 + date * 31) % 50_000) / 100 + 1
    return `${date * 10_000 + i},${customerId(i * 37)},${day(date)} ${minute}:00,${amount.toFixed(2)},${channels[(i + date) % channels.length]}`
  })}`

const events = (date: number): string =>
  lines(2_000, (i) =>
    JSON.stringify({
      order_id: date * 10_000 + Math.floor(i / 2),
      event: steps[(i * 3 + date) % steps.length],
      at: `${day(date)}T12:${String(i % 60).padStart(2, '0')}:00Z`,
      detail: { station: i % 7, by: i % 2 === 0 ? 'robot' : 'clerk' },
    }),
  )

/** Objects of a small order process: the same bytes at every call. */
export const sampleObjects = (): readonly SampleObject[] => [
  { key: 'customers.csv', body: Buffer.from(customers()) },
  ...[1, 2, 3].map((date) => ({ key: `orders/${day(date)}.csv.gz`, body: gzipSync(orders(date)) })),
  ...[1, 2, 3].map((date) => ({ key: `events/${day(date)}.ndjson`, body: Buffer.from(events(date)) })),
]

const column = (name: string, type: string) => ({ name, type })

/** Folders of the sample as tables of the catalog, for queries in place. */
const tables = [
  {
    database: sampleBucket,
    name: 'orders',
    format: 'csv',
    location: `s3://${sampleBucket}/orders/`,
    columns: [
      column('order_id', 'bigint'),
      column('customer_id', 'string'),
      column('placed_at', 'timestamp'),
      column('amount', 'decimal(12,2)'),
      column('channel', 'string'),
    ],
    serdeParameters: { 'skip.header.line.count': '1' },
  },
  {
    database: sampleBucket,
    name: 'events',
    format: 'json',
    location: `s3://${sampleBucket}/events/`,
    columns: [
      column('order_id', 'bigint'),
      column('event', 'string'),
      column('at', 'string'),
      column('detail', 'struct<station:int,by:string>'),
    ],
  },
] as const

/** Names the folders of the sample bucket in the catalog: a database with the name of the bucket. */
export const addSampleTables = (aws: Aws): void => {
  aws.glue.createDatabase({ name: sampleBucket })
  for (const table of tables) aws.glue.createTable(table)
}
