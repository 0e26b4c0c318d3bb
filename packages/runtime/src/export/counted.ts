import type { ExportStream, FileLayout, OpenedStream } from '@penstock/core'

/** A stream that counts what it hands out. */
export interface Counted {
  readonly stream: ExportStream
  readonly opened: OpenedStream
  readonly handedOut: () => { readonly rows: number; readonly begun: boolean; readonly complete: boolean }
}

export const countedStream = (opened: OpenedStream): Counted => {
  let rows = 0
  let begun = false
  let complete = false
  const add = (more: number): void => {
    rows += more
  }
  /** Rows of a file that is still being written are known later, and all of them before the stream ends. */
  async function* count<Item>(
    items: AsyncIterable<Item>,
    rowsOf: (item: Item) => number | Promise<number>,
  ): AsyncGenerator<Item> {
    begun = true
    let counted: Promise<unknown> = Promise.resolve()
    for await (const item of items) {
      const more = rowsOf(item)
      if (typeof more === 'number') add(more)
      else {
        counted = Promise.all([counted, more.then(add)])
        counted.catch(() => {})
      }
      yield item
    }
    await counted
    complete = true
  }
  const { id, name, schema, cursor } = opened
  const growing = opened.growingFiles?.bind(opened)
  return {
    opened,
    handedOut: () => ({ rows, begun, complete }),
    stream: Object.freeze({
      id,
      name,
      schema,
      ...(cursor && { cursor }),
      files: (layout: FileLayout) => count(opened.files(layout), (file) => file.rows),
      ...(growing && {
        growingFiles: (layout: FileLayout) =>
          count(growing(layout), (file) => file.finished.then((whole) => whole.rows)),
      }),
      rows: () => count(opened.rows(), (page) => page.length),
    }),
  }
}
