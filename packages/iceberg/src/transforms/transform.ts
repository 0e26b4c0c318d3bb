/** A partition transform, https://iceberg.apache.org/spec/#partition-transforms. */
export type Transform =
  | { readonly kind: 'identity' | 'year' | 'month' | 'day' | 'hour' | 'void' }
  | { readonly kind: 'bucket'; readonly count: number }
  | { readonly kind: 'truncate'; readonly width: number }
  /** One that is not known here: nothing is pruned by it, and it still tells partitions apart. */
  | { readonly kind: 'unknown'; readonly text: string }

export const parseTransform = (text: string): Transform => {
  switch (text) {
    case 'identity':
    case 'year':
    case 'month':
    case 'day':
    case 'hour':
    case 'void':
      return { kind: text }
  }
  const match = /^(bucket|truncate)\[(\d+)\]$/.exec(text)
  const argument = Number(match?.[2])
  if (match?.[1] === 'bucket' && argument > 0) return { kind: 'bucket', count: argument }
  if (match?.[1] === 'truncate' && argument > 0) return { kind: 'truncate', width: argument }
  return { kind: 'unknown', text }
}

/** The transform as the specification writes it. */
export const describeTransform = (transform: Transform): string => {
  switch (transform.kind) {
    case 'bucket':
      return `bucket[${transform.count}]`
    case 'truncate':
      return `truncate[${transform.width}]`
    case 'unknown':
      return transform.text
    default:
      return transform.kind
  }
}
