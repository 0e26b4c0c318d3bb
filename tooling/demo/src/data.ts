import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import type { TableEngine } from '@penstock/core'

/** One object of the order process: its key and its bytes. */
export interface DemoObject {
  readonly key: string
  readonly body: Buffer
}

const customers = `
  SELECT lpad(i::VARCHAR, 5, '0') AS customer_id,
    ['Ada', 'Grace', 'Edsger', 'Barbara', 'Donald', 'Radia', 'Leslie', 'Frances'][1 + i % 8] AS first_name,
    ['Oslo', 'Kraków', 'São Paulo', 'Zürich', '東京', 'Dakar'][1 + (i * 5) % 6] AS city,
    DATE '2024-01-01' + (i % 700)::INTEGER AS since
  FROM range(1, 501) rows(i)`

const orders = (day: number) => `
  SELECT 9007199254740000 + ${day} * 2000 + i AS order_id,
    lpad((1 + (i * 37) % 500)::VARCHAR, 5, '0') AS customer_id,
    TIMESTAMP '2026-04-01 06:00:00' + INTERVAL (${day - 1}) DAY + INTERVAL (i * 25) SECOND AS placed_at,
    (((i * 7919 + ${day}) % 50000) / 100 + 1)::DECIMAL(18,2) AS amount,
    ['web', 'shop', 'phone'][1 + (i + ${day}) % 3] AS channel
  FROM range(2000) rows(i)`

const events = (day: number) => `
  SELECT 9007199254740000 + ${day} * 2000 + i // 2 AS order_id,
    ['placed', 'paid', 'packed', 'shipped', 'returned'][1 + (i * 3 + ${day}) % 5] AS event,
    strftime(TIMESTAMP '2026-04-01 06:05:00' + INTERVAL (${day - 1}) DAY + INTERVAL (i * 12) SECOND, '%Y-%m-%dT%H:%M:%SZ') AS at,
    {'by': ['robot', 'clerk'][1 + i % 2], 'station': i % 7} AS detail
  FROM range(4000) rows(i)`

const payments = `
  SELECT 9007199254740000 + 2000 + i AS order_id,
    (((i * 7919) % 50000) / 100 + 1)::DECIMAL(18,2) AS paid,
    ['card', 'invoice', 'transfer'][1 + i % 3] AS method
  FROM range(4000) rows(i)`

/** Makes the event log of a small order process; the same bytes at every call. */
export const createDemoData = async (engine: TableEngine, folder: string) => {
  const file = async (key: string, sql: string, type: 'csv' | 'json' | 'parquet'): Promise<DemoObject> => {
    const path = join(folder, 'generated')
    await engine.copyTo(sql, path, { type })
    const body = await readFile(path)
    return { key, body: key.endsWith('.gz') ? gzipSync(body) : body }
  }
  const ordersOf = (day: number) => file(`orders/2026-04-0${day}.csv.gz`, orders(day), 'csv')
  const eventsOf = (day: number) => file(`events/2026-04-0${day}.ndjson`, events(day), 'json')
  const good = await ordersOf(4)
  const goodText = Buffer.from(await readFile(join(folder, 'generated'))).toString()
  return {
    first: [
      await file('customers.csv', customers, 'csv'),
      await ordersOf(1),
      await ordersOf(2),
      await eventsOf(1),
      await eventsOf(2),
      await file('payments.parquet', payments, 'parquet'),
    ],
    later: [await ordersOf(3), await eventsOf(3)],
    /** A day's orders in which one amount is no number. */
    bad: { key: good.key, body: gzipSync(breakLine(goodText, 1234)) },
  }
}

const breakLine = (text: string, line: number): string => {
  const lines = text.split('\n')
  const fields = (lines[line - 1] ?? '').split(',')
  lines[line - 1] = [...fields.slice(0, 3), 'twelve', ...fields.slice(4)].join(',')
  return lines.join('\n')
}
