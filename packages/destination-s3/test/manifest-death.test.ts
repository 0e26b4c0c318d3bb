import { createHash } from 'node:crypto'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { aRun, type Bench, bucket, type ExportRequest, openBench } from './bench.ts'

let bench: Bench & AsyncDisposable
beforeAll(async () => {
  bench = await openBench()
})
afterAll(() => bench[Symbol.asyncDispose]())

const overwriteOf = (commitId: string, files: readonly string[], retried = false): ExportRequest => ({
  run: aRun({ mode: 'overwrite', commitId, retried }),
  streams: [{ files }],
  options: { fileName: commitId, manifest: true },
  fields: { maxAttempts: 1 },
})

interface Manifest {
  readonly flowRunId: string
  readonly exportResults: readonly { sinkPath: string; size: number; etag: string }[]
}

/** Runs whose manifest a consumer finds; all that it lists has to be there, byte for byte. */
const manifestsFound = async (when: string): Promise<readonly string[]> => {
  const keys = bench.keys()
  const found: string[] = []
  for (const key of keys.filter((name) => name.startsWith('manifest'))) {
    const { flowRunId, exportResults } = JSON.parse(await bench.body(key)) as Manifest
    for (const { sinkPath, size, etag } of exportResults) {
      expect(keys, `${when}: ${key} lists ${sinkPath}`).toContain(sinkPath)
      const body = Buffer.from(await bench.body(sinkPath))
      expect({ size: body.length, etag: createHash('md5').update(body).digest('hex') }, when).toEqual({
        size,
        etag: etag.replaceAll('"', ''),
      })
    }
    found.push(flowRunId)
  }
  return found
}

it('an overwrite that dies at any request shows no wrong manifest, and the next run heals it', async () => {
  const clear = () => {
    for (const key of bench.aws.s3.listKeys(bucket)) bench.aws.s3.deleteObject(bucket, key)
  }
  const dies = async (requests: number): Promise<void> => {
    clear()
    await bench.write(overwriteOf('old', ['1\n', '2\n']))
    bench.aws.log.clear()
    if (Number.isFinite(requests))
      bench.aws.faults.add({ when: { service: 's3' }, skip: requests, fault: { kind: 'reset' } })
    await bench.write(overwriteOf('new', ['a\n', 'b\n', 'c\n'])).catch(() => undefined)
    bench.aws.faults.clear()
  }
  await dies(Number.POSITIVE_INFINITY)
  const count = bench.aws.log.entries().length
  expect(await manifestsFound('undisturbed')).toEqual(['new'])

  let withoutAny = 0
  // Every request from where the run counts, some of those before.
  const last = count - 10
  for (let requests = 0; requests < count; requests += requests < last ? 4 : 1) {
    const when = `after ${requests} of ${count} requests`
    await dies(requests)
    const found = await manifestsFound(when)
    expect(found.length, when).toBeLessThan(2)
    if (found.length === 0) withoutAny++

    // The next one is a run of its own, or the same one again.
    const again = requests % 2 === 0
    await bench.write(again ? overwriteOf('new', ['a\n', 'b\n', 'c\n'], true) : overwriteOf('next', ['x\n']))
    expect(await manifestsFound(when), when).toEqual([again ? 'new' : 'next'])
    expect(bench.keys(), when).toHaveLength(again ? 4 : 2)
  }
  // Between the removal of the old one and the new one, the steps 6 and 7, there is none: that was met.
  expect(withoutAny).toBeGreaterThan(0)
}, 60_000)
