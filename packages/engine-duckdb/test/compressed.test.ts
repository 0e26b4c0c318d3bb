import { gzipSync, zstdCompressSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { file, load } from './stage-support.ts'

/* Compressed text is loaded whole and proved by its own checksums, or not at all. */

const rows = Array.from({ length: 3_000 }, (_, index) => index)
const forms = {
  csv: `id,x\n${rows.map((id) => `${id},text ${id}\n`).join('')}`,
  ndjson: rows.map((id) => `${JSON.stringify({ id, x: `text ${id}` })}\n`).join(''),
  json: JSON.stringify(rows.map((id) => ({ id, x: `text ${id}` }))),
}
const expected = rows.map((id) => [String(id), `text ${id}`])
const codecs = { gz: (text: string) => gzipSync(text), zst: (text: string) => zstdCompressSync(text) }
const cases = Object.entries(forms).flatMap(([type, text]) =>
  Object.entries(codecs).map(([codec, store]) => ({ name: `a.${type}.${codec}`, text, store })),
)

/** In two parts, as tools write that append or compress in parallel. */
const inParts = (text: string, store: (text: string) => Buffer, middle = text.length >> 1) => [
  store(text.slice(0, middle)),
  store(text.slice(middle)),
]

test.each(cases)('$name: every part of it', async ({ name, text, store }) => {
  const loaded = await load([await file(name, Buffer.concat(inParts(text, store)))])
  expect(loaded.columns).toEqual(['id bigint', 'x text'])
  expect(loaded.rows).toEqual(expected)
})

test.each(cases)('$name: with less room than it needs', async ({ name, text, store }) => {
  const files = await Promise.all([1, 2, 3].map((count) => file(`${count}-${name}`, store(text))))
  for (const room of [100, text.length * 2]) {
    const loaded = await load(files, {}, [files], room)
    expect(loaded.rows).toEqual([...expected, ...expected, ...expected])
  }
})

test.each(cases)('$name: a cut after a whole record, and a flipped bit', async ({ name, text, store }) => {
  const [first, second] = inParts(text, store, text.indexOf('\n', text.length >> 1) + 1)
  const cut = Buffer.concat([first ?? Buffer.of(), (second ?? Buffer.of()).subarray(0, -1)])
  const flipped = store(text)
  // Of gzip's checksum; zstd has none unless it is asked for.
  flipped[flipped.length - 6] = (flipped.at(-6) ?? 0) ^ 1
  for (const body of name.endsWith('.gz') ? [cut, flipped] : [cut])
    await expect(load([await file(name, body)], { onBadRow: 'reject' })).rejects.toMatchObject({
      kind: 'data',
      message: expect.stringContaining(`s3://b/${name} is corrupt`),
    })
})
