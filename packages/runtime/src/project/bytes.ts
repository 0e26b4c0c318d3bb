import { z } from 'zod'

const units: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  tb: 1e12,
  kib: 1024,
  mib: 1024 ** 2,
  gib: 1024 ** 3,
  tib: 1024 ** 4,
}

/** Reads a size such as `4GiB`, `500 MB` or `1048576` as bytes; undefined when it is none. */
export const parseBytes = (text: string): number | undefined => {
  const match = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/i.exec(text.trim())
  const unit = units[match?.[2]?.toLowerCase() ?? '-']
  if (!match || unit === undefined) return undefined
  const bytes = Math.round(Number(match[1]) * unit)
  return bytes >= 1 && Number.isSafeInteger(bytes) ? bytes : undefined
}

/** Schema of a size: a number of bytes, or a text such as `4GiB`. Output: bytes. */
export const bytes = () =>
  z.union([z.int().min(1), z.string()]).transform((value, context) => {
    const size = typeof value === 'number' ? value : parseBytes(value)
    if (size !== undefined) return size
    context.addIssue({ code: 'custom', message: 'must be a size such as 512MiB, 4GiB or 2GB' })
    return z.NEVER
  })
