import { readdirSync, readFileSync } from 'node:fs'
import {
  csvExportOptions,
  type ExportFile,
  type ExportFormat,
  type ExportSelection,
  type FileLayout,
} from '@penstock/core'
import { expect } from 'vitest'
import type { Bench } from './support.ts'

export const signal = new AbortController().signal

export const csv = (options: object = {}, compression: 'none' | 'gzip' | 'zstd' = 'none'): ExportFormat => ({
  type: 'csv',
  compression,
  ...csvExportOptions.parse(options),
})

export interface Written {
  readonly part: number
  readonly partition: ExportFile['partition']
  readonly rows: number
  readonly size: number
  readonly bytes: Buffer
}

export const open = (bench: Bench, selection: Partial<ExportSelection>, stagingBytes?: number) =>
  bench.engine.openExport([{ id: 'id', name: 's', from: { sql: 'SELECT 1' }, ...selection }], {
    signal,
    ...(stagingBytes !== undefined && { stagingBytes }),
  })

export const write = async (
  bench: Bench,
  selection: Partial<ExportSelection>,
  layout: FileLayout,
): Promise<Written[]> => {
  const opened = await open(bench, selection)
  const written: Written[] = []
  try {
    for await (const file of opened.streams[0]?.files(layout) ?? []) {
      const { part, partition, rows, size } = file
      written.push({ part, partition, rows, size, bytes: readFileSync(file.path) })
      await file.release()
    }
  } finally {
    await opened.close()
  }
  expect(readdirSync(bench.engine.stagingFolder).filter((name) => name !== 'spill')).toEqual([])
  return written
}

export const thousand = { sql: "SELECT i, 'row ' || i AS t, i % 3 AS g FROM range(10000) r(i)" }
export const makeTable = async (bench: Bench) => {
  const transaction = await bench.engine.begin({ runId: 'make', signal })
  await transaction.execute(`CREATE TABLE numbers AS ${thousand.sql}`)
  await transaction.execute('DELETE FROM numbers WHERE i % 10 = 7')
  await transaction.commit({
    runId: 'make',
    command: 'test',
    connector: 'test',
    status: 'succeeded',
    startedAt: '2026-01-01T00:00:00Z',
    tables: [],
  })
}
