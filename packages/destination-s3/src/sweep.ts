import type { S3WriteAccess } from '@penstock/aws'
import type { Leftover } from '@penstock/core'
import { accessOf } from './access.ts'
import type { S3Context } from './config.ts'
import { stateRoot } from './names.ts'
import { type State, stateSchema } from './state/documents.ts'
import { finishFormer, leftoversOf, removeLeftovers, type TryLeftovers } from './state/finish.ts'
import { isAlive, takeLease } from './state/lease.ts'
import { readNote } from './state/notes.ts'
import { type Store, storeOf } from './state/store.ts'
import { type OpenTry, openTries, partsOf } from './state/tries.ts'

/**
 * What runs that failed have left, of all exports of this destination: uploads in parts, and files that no run that
 * counts lists. Goes by the destination's own notes and by the author in an object's metadata, so that it never comes
 * upon anything else. An export that is being written is left out.
 */
export async function* sweepLeftovers(
  context: S3Context,
  options: { readonly dryRun: boolean },
): AsyncGenerator<Leftover> {
  const { clock, notice } = context
  for await (const exportId of exportsOf(context)) {
    const store = storeOf(context, exportId)
    const state = await readNote(store.access, store.keys.state, stateSchema, context.signal)
    if (!state) continue
    const { lease } = state.content
    if (lease && isAlive(lease, clock())) notice(`Export ${exportId} is being written: it is left out.`)
    else if (options.dryRun) yield* found(context, store, state.content)
    else yield* removed(context, store)
  }
}

/** Ids of the exports that have notes. */
async function* exportsOf(context: S3Context): AsyncGenerator<string> {
  const root = stateRoot(context.config)
  const pages = accessOf(context).list({ prefix: root, delimiter: '/', signal: context.signal })
  for await (const { prefixes } of pages)
    for (const prefix of prefixes) yield decodeURIComponent(prefix.slice(root.length, -1))
}

async function* found({ signal, notice }: S3Context, store: Store, state: State): AsyncGenerator<Leftover> {
  const { access, keys } = store
  if (state.finishing)
    notice(
      `Run ${state.finishing.commitId} is complete but for its last steps: the next run, or a sweep, does them.`,
    )
  for await (const open of openTries(access, keys, signal)) {
    const counting = state.finishing ? [...state.runs, { ...state.finishing, finished: '' }] : state.runs
    const leftovers = await leftoversOf(store, open, counting, signal)
    yield* described(access, open, leftovers, { removed: false, signal })
  }
}

async function* removed(context: S3Context, store: Store): AsyncGenerator<Leftover> {
  const { signal } = context
  const lease = await takeLease({
    ...store,
    exportName: store.exportId,
    commitId: 'sweep',
    retried: false,
    signal: context.signal,
  })
  try {
    const runs = await finishFormer(store, lease, signal)
    for await (const open of openTries(store.access, store.keys, signal)) {
      const leftovers = await leftoversOf(store, open, runs, signal)
      // Sizes are known as long as the parts are there.
      const told = await Array.fromAsync(described(store.access, open, leftovers, { removed: true, signal }))
      await removeLeftovers(store, open, leftovers, runs, signal)
      yield* told
    }
  } finally {
    await lease.release()
  }
}

async function* described(
  access: S3WriteAccess,
  { begin }: OpenTry,
  { uploads, files }: TryLeftovers,
  { removed, signal }: { readonly removed: boolean; readonly signal: AbortSignal },
): AsyncGenerator<Leftover> {
  const since = begin && new Date(begin.started)
  for (const { key, uploadId, initiated } of uploads) {
    const parts = await partsOf(access, key, uploadId, signal)
    // Noted, and gone by now.
    if (!parts) continue
    const { size } = parts
    const started = initiated === undefined ? since : new Date(initiated)
    yield { kind: 'upload', name: key, size, ...(started ? { started } : {}), removed }
  }
  for (const { key, size, modified } of files)
    yield { kind: 'file', name: key, size, started: new Date(modified), removed }
}
