const blockSize = 1024

/** Reads keys in order; `seek` jumps ahead. */
export interface KeyCursor<Value> {
  /** The key here; undefined at the end. */
  readonly key: string | undefined
  readonly value: Value | undefined
  advance(): void
  /** Moves to the first key at or after `key` (never backwards). */
  seek(key: string): void
}

/** Values by strings, in the order of the strings. */
export interface SortedKeys<Value> {
  readonly size: number
  /** Does nothing when the key is there. */
  add(key: string, value: Value): void
  delete(key: string): void
  /** Begins at the first key that is `from` or after it. A cursor does not outlive a change of the keys. */
  cursor(from: string): KeyCursor<Value>
}

interface Block<Value> {
  keys: string[]
  values: Value[]
}

/**
 * A sorted map in blocks of up to 2,048 keys, so that an insert moves few keys however many there are, and a page of
 * a listing begins with two binary searches. Keys are byte strings (`utf8Bytes`): then the engine's own comparison is
 * S3's order by UTF-8 bytes.
 */
export function createSortedKeys<Value>(): SortedKeys<Value> {
  const blocks: Block<Value>[] = []
  let size = 0

  /** Index of the last block that begins at or before the key; 0 when none does. */
  const blockOf = (key: string): number => {
    let low = 0
    let high = blocks.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((blocks[middle]?.keys[0] as string) <= key) low = middle + 1
      else high = middle
    }
    return Math.max(0, low - 1)
  }

  return {
    get size() {
      return size
    },

    add(key, value) {
      const blockIndex = blockOf(key)
      const block = blocks[blockIndex]
      if (!block) {
        blocks.push({ keys: [key], values: [value] })
        size = 1
        return
      }
      const { keys, values } = block
      const index = lowerBound(keys, key)
      if (keys[index] === key) return
      size++
      if (index < keys.length || keys.length < blockSize) {
        keys.splice(index, 0, key)
        values.splice(index, 0, value)
      } else {
        // Keys that arrive in order fill whole blocks instead of splitting them by half.
        blocks.splice(blockIndex + 1, 0, { keys: [key], values: [value] })
      }
      if (keys.length > 2 * blockSize) {
        const upper = { keys: keys.splice(blockSize), values: values.splice(blockSize) }
        blocks.splice(blockIndex + 1, 0, upper)
      }
    },

    delete(key) {
      const blockIndex = blockOf(key)
      const block = blocks[blockIndex]
      if (!block) return
      const index = lowerBound(block.keys, key)
      if (block.keys[index] !== key) return
      block.keys.splice(index, 1)
      block.values.splice(index, 1)
      size--
      if (block.keys.length === 0) blocks.splice(blockIndex, 1)
    },

    cursor(from) {
      let blockIndex = 0
      let block: Block<Value> | undefined
      let index = 0
      const settle = () => {
        if (!block || index < block.keys.length) return
        blockIndex++
        block = blocks[blockIndex]
        index = 0
      }
      const seek = (key: string) => {
        blockIndex = blockOf(key)
        block = blocks[blockIndex]
        index = lowerBound(block?.keys ?? [], key)
        settle()
      }
      seek(from)
      return {
        get key() {
          return block?.keys[index]
        },
        get value() {
          return block?.values[index]
        },
        advance() {
          index++
          settle()
        },
        seek(key) {
          const current = block?.keys[index]
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
