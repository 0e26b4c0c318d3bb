const mask = (1n << 64n) - 1n
const prime1 = 0x9e3779b185ebca87n
const prime2 = 0xc2b2ae3d27d4eb4fn
const prime3 = 0x165667b19e3779f9n
const prime4 = 0x85ebca77c2b2ae63n
const prime5 = 0x27d4eb2f165667c5n

const rotate = (value: bigint, bits: bigint): bigint => ((value << bits) | (value >> (64n - bits))) & mask
const round = (accumulator: bigint, lane: bigint): bigint =>
  (rotate((accumulator + lane * prime2) & mask, 31n) * prime1) & mask
const merge = (accumulator: bigint, value: bigint): bigint =>
  ((accumulator ^ round(0n, value)) * prime1 + prime4) & mask

/** xxHash, 64 bits, seed 0: the hash of Parquet's bloom filters. For the few constants of a filter, not for bulk. */
export const xxh64 = (bytes: Uint8Array): bigint => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let position = 0
  let hash: bigint
  if (bytes.length >= 32) {
    let lanes: [bigint, bigint, bigint, bigint] = [(prime1 + prime2) & mask, prime2, 0n, -prime1 & mask]
    for (; position + 32 <= bytes.length; position += 32)
      lanes = lanes.map((lane, index) =>
        round(lane, view.getBigUint64(position + index * 8, true)),
      ) as typeof lanes
    const [a, b, c, d] = lanes
    hash = (rotate(a, 1n) + rotate(b, 7n) + rotate(c, 12n) + rotate(d, 18n)) & mask
    for (const lane of lanes) hash = merge(hash, lane)
  } else hash = prime5
  hash = (hash + BigInt(bytes.length)) & mask
  for (; position + 8 <= bytes.length; position += 8)
    hash = (rotate(hash ^ round(0n, view.getBigUint64(position, true)), 27n) * prime1 + prime4) & mask
  for (; position + 4 <= bytes.length; position += 4)
    hash =
      (rotate(hash ^ ((BigInt(view.getUint32(position, true)) * prime1) & mask), 23n) * prime2 + prime3) &
      mask
  for (; position < bytes.length; position++)
    hash = (rotate(hash ^ ((BigInt(bytes[position] as number) * prime5) & mask), 11n) * prime1) & mask
  hash = ((hash ^ (hash >> 33n)) * prime2) & mask
  hash = ((hash ^ (hash >> 29n)) * prime3) & mask
  return hash ^ (hash >> 32n)
}
