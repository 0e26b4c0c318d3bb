const blockSize = 1024

/** Reads keys in order; `seek` jumps ahead. */
export interface KeyCursor {
  /** The key here; undefined at the end. */
  readonly key: string | undefined
  advance(): void
  /** Moves to the first key at or after `key` (never backwards). */
  seek(key: string): void
}

/** A sorted set of strings. */
export interface SortedKeys {
  readonly size: number
  add(key: string): void
  delete(key: string): void
  /** Begins at the first key that is `from` or after it. A cursor does not outlive a change of the set. */
  cursor(from: string): KeyCursor
}

/**
 * A sorted set in blocks of up to 2,048 keys, so that an insert moves few keys however many there are, and a page of
 * a listing begins with two binary searches. Keys are byte strings (`utf8Bytes`): then the engine's own comparison is
 * S3's order by UTF-8 bytes.
 */
export function createSortedKeys(): SortedKeys {
  const blocks: string[][] = []
  let size = 0

  /** Index of the last block that begins at or before the key; 0 when none does. */
  const blockOf = (key: string): number => {
    let low = 0
    let high = blocks.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((blocks[middle]?.[0] as string) <= key) low = middle + 1
      else high = middle
    }
    return Math.max(0, low - 1)
  }

  return {
    get size() {
      return size
    },

    add(key) {
      const blockIndex = blockOf(key)
      const block = blocks[blockIndex]
      if (!block) {
        blocks.push([key])
        size = 1
        return
      }
      const index = lowerBound(block, key)
      if (block[index] === key) return
      size++
      if (index < block.length || block.length < blockSize) {
        block.splice(index, 0, key)
      } else {
        // Keys that arrive in order fill whole blocks instead of splitting them by half.
        blocks.splice(blockIndex + 1, 0, [key])
      }
      if (block.length > 2 * blockSize) blocks.splice(blockIndex + 1, 0, block.splice(blockSize))
    },

    delete(key) {
      const blockIndex = blockOf(key)
      const block = blocks[blockIndex]
      if (!block) return
      const index = lowerBound(block, key)
      if (block[index] !== key) return
      block.splice(index, 1)
      size--
      if (block.length === 0) blocks.splice(blockIndex, 1)
    },

    cursor(from) {
      let blockIndex = 0
      let index = 0
      const settle = () => {
        while (index >= (blocks[blockIndex]?.length ?? Number.POSITIVE_INFINITY)) {
          blockIndex++
          index = 0
        }
      }
      const seek = (key: string) => {
        blockIndex = blockOf(key)
        index = lowerBound(blocks[blockIndex] ?? [], key)
        settle()
      }
      seek(from)
      return {
        get key() {
          return blocks[blockIndex]?.[index]
        },
        advance() {
          index++
          settle()
        },
        seek(key) {
          const current = blocks[blockIndex]?.[index]
          if (current !== undefined && current < key) seek(key)
        },
      }
    },
  }
}

/** Index of the first entry that is not below `key`. */
function lowerBound(sorted: readonly string[], key: string): number {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((sorted[middle] as string) < key) low = middle + 1
    else high = middle
  }
  return low
}

/** The first string after all that begin with `prefix`; undefined when there is none. */
export function afterPrefix(prefix: string): string | undefined {
  for (let end = prefix.length; end > 0; end--) {
    const code = prefix.charCodeAt(end - 1)
    if (code < 0xff) return prefix.slice(0, end - 1) + String.fromCharCode(code + 1)
  }
  return undefined
}
