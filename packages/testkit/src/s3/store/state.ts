import { utf8Bytes } from '../../sigv4/encode.ts'
import type { Bucket, Change, Segment } from './model.ts'
import { createSortedKeys } from './sorted-keys.ts'

/** Completed uploads that a bucket remembers, for clients that repeat the call after a lost answer. */
const rememberedUploads = 1000

export interface References {
  retain(segments: readonly Segment[]): void
  release(segments: readonly Segment[]): void
}

/** Applies one change. Replaying the journal and live requests come through here alike. */
export function applyChange(buckets: Map<string, Bucket>, change: Change, references: References): void {
  if (change.type === 'bucket') {
    const existing = buckets.get(change.settings.name)
    if (existing) existing.settings = change.settings
    else buckets.set(change.settings.name, emptyBucket(change.settings))
    return
  }
  const bucket = buckets.get(change.bucket)
  if (!bucket) return
  switch (change.type) {
    case 'bucket-removed':
      for (const upload of bucket.uploads.values()) {
        for (const part of upload.parts.values()) references.release(part.segments)
      }
      for (const versions of bucket.objects.values()) {
        for (const version of versions) references.release(version.segments)
      }
      buckets.delete(change.bucket)
      return
    case 'version': {
      references.retain(change.version.segments)
      const versions = bucket.objects.get(change.key)
      if (!versions) {
        const first = [change.version]
        bucket.objects.set(change.key, first)
        bucket.keys.add(utf8Bytes(change.key), first)
        return
      }
      const replaced = versions.findIndex(({ versionId }) => versionId === change.version.versionId)
      if (replaced >= 0) references.release(versions.splice(replaced, 1)[0]?.segments ?? [])
      versions.unshift(change.version)
      return
    }
    case 'version-updated': {
      const versions = bucket.objects.get(change.key) ?? []
      const index = versions.findIndex(({ versionId }) => versionId === change.version.versionId)
      if (index >= 0) versions[index] = change.version
      return
    }
    case 'version-removed': {
      const versions = bucket.objects.get(change.key) ?? []
      const index = versions.findIndex(({ versionId }) => versionId === change.versionId)
      if (index < 0) return
      references.release(versions.splice(index, 1)[0]?.segments ?? [])
      if (versions.length > 0) return
      bucket.objects.delete(change.key)
      bucket.keys.delete(utf8Bytes(change.key))
      return
    }
    case 'upload':
      bucket.uploads.set(change.upload.id, { ...change.upload, parts: new Map() })
      return
    case 'part': {
      const upload = bucket.uploads.get(change.uploadId)
      if (!upload) return
      references.retain(change.part.segments)
      references.release(upload.parts.get(change.part.number)?.segments ?? [])
      upload.parts.set(change.part.number, change.part)
      return
    }
    case 'upload-removed': {
      const upload = bucket.uploads.get(change.uploadId)
      bucket.uploads.delete(change.uploadId)
      for (const part of upload?.parts.values() ?? []) references.release(part.segments)
      return
    }
    case 'upload-completed': {
      bucket.completed.set(change.completed.id, change.completed)
      const oldest = bucket.completed.keys().next().value
      if (bucket.completed.size > rememberedUploads && oldest !== undefined) bucket.completed.delete(oldest)
    }
  }
}

const emptyBucket = (settings: Bucket['settings']): Bucket => ({
  settings,
  objects: new Map(),
  keys: createSortedKeys(),
  uploads: new Map(),
  completed: new Map(),
})

/** The changes that make this state from nothing; a journal is rewritten with them. */
export function* changesOf(buckets: ReadonlyMap<string, Bucket>): Generator<Change> {
  for (const [name, bucket] of buckets) {
    yield { type: 'bucket', settings: bucket.settings }
    for (const [key, versions] of bucket.objects) {
      for (const version of versions.toReversed()) yield { type: 'version', bucket: name, key, version }
    }
    for (const { parts, ...upload } of bucket.uploads.values()) {
      yield { type: 'upload', bucket: name, upload }
      for (const part of parts.values()) yield { type: 'part', bucket: name, uploadId: upload.id, part }
    }
    for (const completed of bucket.completed.values()) {
      yield { type: 'upload-completed', bucket: name, completed }
    }
  }
}
