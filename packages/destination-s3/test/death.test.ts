import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { aRun, type Bench, bucket, type ExportRequest, openBench } from './bench.ts'

let bench: Bench & AsyncDisposable
beforeAll(async () => {
  bench = await openBench()
})
afterAll(() => bench[Symbol.asyncDispose]())
afterEach(() => {
  bench.aws.faults.clear()
  for (const key of bench.aws.s3.listKeys(bucket)) bench.aws.s3.deleteObject(bucket, key)
})

/** From the n-th request on nothing gets through any more: what the end of a process is to S3. */
const dieAfter = (requests: number, handled: boolean): void => {
  if (handled)
    bench.aws.faults.add({
      when: { service: 's3' },
      skip: requests,
      times: 1,
      fault: { kind: 'reset', handled },
    })
  bench.aws.faults.add({
    when: { service: 's3' },
    skip: handled ? requests + 1 : requests,
    fault: { kind: 'reset' },
  })
}

/** `PENSTOCK_THOROUGH=1`: all cases, each request both unsent and unanswered; else alternately. */
const thorough = process.env.PENSTOCK_THOROUGH === '1'

const inParts = { file: -1, total: 0 }
const files = ['a\n', 'b\n', 'c\n']
/** Nobody but the destination writes names like these. */
const bodies = async (keys: readonly string[]) =>
  Object.fromEntries(await Promise.all(keys.map(async (key) => [key, await bench.body(key)] as const)))

interface Case {
  readonly title: string
  /** Also tried when it is not to be thorough. */
  readonly quick?: boolean
  readonly mode: 'append' | 'overwrite'
  readonly fileName: string
  readonly hold?: ExportRequest['hold']
  /** What the run finds. */
  readonly before: Readonly<Record<string, string>>
  readonly after: Readonly<Record<string, string>>
  /** Names that both have, and that change. */
  readonly replaced: readonly string[]
}

const old = { 'old.csv': '1\n', 'old_2.csv': '2\n' }
const written = { 'new.csv': 'a\n', 'new_2.csv': 'b\n', 'new_3.csv': 'c\n' }
const cases: readonly Case[] = [
  {
    title: 'append',
    quick: true,
    mode: 'append',
    fileName: 'new',
    before: old,
    after: { ...old, ...written },
    replaced: [],
  },
  {
    title: 'append in parts',
    mode: 'append',
    fileName: 'new',
    hold: inParts,
    before: old,
    after: { ...old, ...written },
    replaced: [],
  },
  { title: 'overwrite', mode: 'overwrite', fileName: 'new', before: old, after: written, replaced: [] },
  {
    title: 'overwrite in parts',
    quick: true,
    mode: 'overwrite',
    fileName: 'new',
    hold: inParts,
    before: old,
    after: written,
    replaced: [],
  },
  {
    title: 'overwrite of the same names',
    quick: true,
    mode: 'overwrite',
    fileName: 'old',
    hold: inParts,
    before: old,
    after: { 'old.csv': 'a\n', 'old_2.csv': 'b\n', 'old_3.csv': 'c\n' },
    replaced: ['old.csv', 'old_2.csv'],
  },
]

describe.each(thorough ? cases : cases.filter(({ quick }) => quick))(
  'the end of the process, $title',
  ({ mode, fileName, hold, before, after, replaced }) => {
    const manifest = { 'manifest-nightly-new.json': expect.stringContaining('"flowRunId": "new"') }
    const theirs = { 'new_9.csv': 'theirs' }

    const prepare = async (): Promise<void> => {
      await bench.write({
        run: { commitId: 'old' },
        streams: [{ files: Object.values(old) }],
        options: { fileName: 'old' },
      })
      await bench.aws.s3.putObject({ bucket, key: 'new_9.csv', body: 'theirs' })
    }
    const request = (retried: boolean, commitId = 'new'): ExportRequest => ({
      run: aRun({ mode, commitId, retried }),
      streams: [{ files }],
      options: { fileName, manifest: true },
      fields: { maxAttempts: 1 },
      ...(hold ? { hold } : {}),
    })

    const countRequests = async (): Promise<number> => {
      await prepare()
      bench.aws.log.clear()
      await bench.write(request(false))
      const { length } = bench.aws.log.entries()
      for (const key of bench.aws.s3.listKeys(bucket)) bench.aws.s3.deleteObject(bucket, key)
      return length
    }

    it.each(thorough ? [[0], [1]] : [[0]])(
      'at any request leaves whole files alone, and the rerun leaves just what is right (%i)',
      async (parity) => {
        const count = await countRequests()
        expect(count).toBeGreaterThan(12)
        for (let requests = 0; requests < count; requests++) {
          const handled = requests % 2 === parity
          await prepare()
          dieAfter(requests, handled)
          const failed = await bench.write(request(false)).then(
            () => false,
            () => true,
          )
          bench.aws.faults.clear()

          // Whole files of the old run or of the new one, and as long as the new ones are not all there, all the old ones.
          const found = await bodies(bench.keys())
          for (const [key, body] of Object.entries(found))
            expect([body], key).toContain(
              key.startsWith('manifest')
                ? body
                : body === 'theirs'
                  ? 'theirs'
                  : ({ ...before, ...after, ...theirs } as Record<string, string>)[key] === body
                    ? body
                    : replaced.includes(key)
                      ? (before as Record<string, string>)[key]
                      : 'nothing',
            )
          const complete = Object.entries(after).every(([key, body]) => found[key] === body)
          if (!complete)
            for (const key of Object.keys(before)) expect(found, `${requests}`).toHaveProperty([key])
          if (Object.keys(found).some((key) => key.startsWith('manifest'))) expect(complete).toBe(true)

          await bench.write(request(true))
          expect(await bodies(bench.keys()), `after ${requests} requests`).toEqual({
            ...after,
            ...theirs,
            ...manifest,
          })
          expect(bench.aws.s3.listUploads(bucket)).toEqual([])
          expect(bench.notes().filter((key) => key.includes('/pending/'))).toEqual([])
          expect(bench.unreleased.size).toBe(0)
          if (failed) expect(bench.notes()).toHaveLength(mode === 'append' ? 3 : 2)
          for (const key of bench.aws.s3.listKeys(bucket)) bench.aws.s3.deleteObject(bucket, key)
        }
      },
      60_000,
    )
  },
)
