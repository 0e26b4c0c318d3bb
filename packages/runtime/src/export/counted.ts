import type { ExportFile, ExportStream, FileLayout, OpenedStream } from '@penstock/core'

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
  async function* count<Item>(
    items: AsyncIterable<Item>,
    rowsOf: (item: Item) => number,
  ): AsyncGenerator<Item> {
    begun = true
    for await (const item of items) {
      rows += rowsOf(item)
      yield item
    }
    complete = true
  }
  const { id, name, schema, cursor } = opened
  return {
    opened,
    handedOut: () => ({ rows, begun, complete }),
    stream: Object.freeze({
      id,
      name,
      schema,
      ...(cursor && { cursor }),
      files: (layout: FileLayout) => count<ExportFile>(opened.files(layout), (file) => file.rows),
      rows: () => count(opened.rows(), (page) => page.length),
    }),
  }
}
