import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { accessOf } from '../src/access.ts'
import { type Bench, bucket, openBench } from './bench.ts'

let bench: Bench & AsyncDisposable
beforeAll(async () => {
  bench = await openBench()
})
afterAll(() => bench[Symbol.asyncDispose]())
afterEach(() => {
  bench.aws.faults.clear()
  for (const key of bench.aws.s3.listKeys(bucket)) bench.aws.s3.deleteObject(bucket, key)
})

/** A run whose process ends when the operation comes for the n-th time. */
const die = async (operation: string, skip: number, commitId: string, exportId = 'nightly') => {
  // What the destination sends from then on does not arrive, either.
  let dead = false
  const remove = [
    bench.aws.faults.add({ when: { service: 's3', operation }, skip, fault: { kind: 'reset' } }),
  ]
  await bench
    .write({
      run: { commitId, exportId },
      hold: { file: -1, total: 0 },
      options: { fileName: '{run_id}' },
      streams: [{ files: ['1\n', '22\n', '333\n'] }],
      fields: { maxAttempts: 1 },
      onProgress: () => {
        if (dead) return
        dead = true
        remove.push(
          bench.aws.faults.add({
            when: {
              service: 's3',
              operation: ['AbortMultipartUpload', 'DeleteObjects', 'ListMultipartUploads'],
            },
            fault: { kind: 'reset' },
          }),
        )
      },
    })
    .then(
      () => expect.unreachable(),
      () => {},
    )
  for (const undo of remove) undo()
}

describe('sweep', () => {
  it('finds uploads and files of failed runs of all exports, and removes them when asked to', async () => {
    await bench.write({ run: { commitId: 'good' }, options: { fileName: '{run_id}' } })
    await bench.aws.s3.putObject({ bucket, key: 'theirs.csv', body: 'theirs' })
    const theirs = await bench.use(async (context) => {
      const upload = await accessOf(context).startUpload('dead_4.csv')
      await upload.send(Buffer.from('theirs'))
      return upload.uploadId
    })
    await die('UploadPart', 2, 'dead')
    await die('CompleteMultipartUpload', 2, 'dying', 'weekly')
    const visible = bench.keys()
    expect(visible.filter((key) => key.startsWith('dying'))).toHaveLength(2)
    const left = bench.aws.s3.listUploads(bucket)
    expect(left.length).toBeGreaterThan(3)

    const found = await bench.sweep(true)
    expect(found.every(({ removed }) => !removed)).toBe(true)
    expect(found.map(({ kind, name }) => `${kind} ${name}`).toSorted()).toEqual([
      'file dying.csv',
      'file dying_2.csv',
      'upload dead.csv',
      'upload dead_2.csv',
      'upload dead_3.csv',
      'upload dying_3.csv',
    ])
    expect(found.find(({ name }) => name === 'dying_3.csv')).toMatchObject({
      size: 4,
      started: expect.any(Date),
    })
    expect(bench.keys()).toEqual(visible)
    expect(bench.aws.s3.listUploads(bucket)).toHaveLength(left.length)

    const removed = await bench.sweep(false)
    expect(removed).toEqual(found.map((leftover) => ({ ...leftover, removed: true })))
    expect(bench.keys()).toEqual(['good.csv', 'theirs.csv'])
    expect(bench.aws.s3.listUploads(bucket).map(({ uploadId }) => uploadId)).toEqual([theirs])
    expect(await bench.sweep(true)).toEqual([])
    expect(bench.notes().filter((key) => key.includes('/pending/'))).toEqual([])
  })

  it('leaves an export alone that is being written', async () => {
    await bench.write({
      hold: { file: -1, total: 0 },
      streams: [
        {
          files: ['1\n', '2\n'],
          before: async (index) => {
            if (index === 0) return
            expect(await bench.sweep(false)).toEqual([])
            expect(bench.notices.at(-1)).toContain('is being written')
          },
        },
      ],
    })
    expect(bench.keys()).toHaveLength(2)
  })

  it('finishes a run that counts', async () => {
    const out = (commitId: string) =>
      bench.write({
        run: { commitId, mode: 'overwrite' },
        options: { fileName: '{run_id}', manifest: true },
        fields: { maxAttempts: 1 },
      })
    await out('one')
    bench.aws.faults.add({ when: { operation: 'DeleteObjects' }, fault: { kind: 'reset' } })
    await expect(out('two')).rejects.toThrow()
    bench.aws.faults.clear()
    expect(await bench.sweep(true)).toEqual([])
    expect(bench.keys()).toEqual(['manifest-nightly-one.json', 'one.csv', 'two.csv'])
    expect(await bench.sweep(false)).toEqual([])
    expect(bench.keys()).toEqual(['manifest-nightly-two.json', 'two.csv'])
  })

  it('finds nothing where nothing was written', async () => {
    expect(await bench.sweep(false)).toEqual([])
  })
})
