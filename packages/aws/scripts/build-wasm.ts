import { readFile, writeFile } from 'node:fs/promises'
import { assemble } from './assemble.ts'

/** Writes src/checksum/crc-wasm.ts from src/checksum/crc.wat. */
const folder = new URL('../src/checksum/', import.meta.url)
const bytes = await assemble(await readFile(new URL('crc.wat', folder), 'utf8'))
await writeFile(
  new URL('crc-wasm.ts', folder),
  `/** Assembled from crc.wat by scripts/build-wasm.ts; a test compares the two. */\nexport const crcWasm =\n  '${bytes.toString('base64')}'\n`,
)
