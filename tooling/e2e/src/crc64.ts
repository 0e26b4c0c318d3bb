const reflectedPolynomial = 0x9a6c9329ac4bc9b5n

const low = new Uint32Array(256)
const high = new Uint32Array(256)
for (let index = 0; index < 256; index++) {
  let value = BigInt(index)
  for (let bit = 0; bit < 8; bit++) value = value & 1n ? (value >> 1n) ^ reflectedPolynomial : value >> 1n
  low[index] = Number(value & 0xffffffffn)
  high[index] = Number(value >> 32n)
}

/**
 * CRC-64/NVME in base64, as S3 tells it: written anew from the definition, so that what it is compared with does not
 * vouch for itself. https://reveng.sourceforge.io/crc-catalogue/all.htm#crc.cat.crc-64-nvme
 */
export const crc64nvme = (bytes: Uint8Array): string => {
  let lower = 0xffffffff
  let upper = 0xffffffff
  for (const byte of bytes) {
    const index = (lower ^ byte) & 0xff
    lower = ((lower >>> 8) | (upper << 24)) ^ (low[index] ?? 0)
    upper = (upper >>> 8) ^ (high[index] ?? 0)
  }
  const sum = Buffer.alloc(8)
  sum.writeUInt32BE(~upper >>> 0, 0)
  sum.writeUInt32BE(~lower >>> 0, 4)
  return sum.toString('base64')
}
