import { withContext } from '@penstock/core'
import { downloadFile, s3Actions, uploadFile } from '../src/index.ts'

/** What a test's child process does until it is killed. */
export interface ChildTask {
  readonly endpoint: string
  readonly keys: { readonly accessKeyId: string; readonly secretAccessKey: string }
  readonly upload?: { readonly source: string; readonly to: string }
  readonly download?: { readonly path: string; readonly to: string }
}

const task = JSON.parse(process.argv[2] ?? '') as ChildTask
const connection = s3Actions({
  region: 'eu-central-1',
  bucket: 'lake',
  endpoint: task.endpoint,
  auth: { method: 'access-key', ...task.keys },
})
let told = 0
await withContext(
  connection,
  async (context) => {
    const onProgress = ({ bytes }: { readonly bytes: number }): void => {
      if (bytes - told < 1 << 20) return
      told = bytes
      process.stdout.write(`${bytes}\n`)
    }
    if (task.upload) await uploadFile({ ...context, onProgress }, task.upload)
    if (task.download) await downloadFile({ ...context, onProgress }, task.download)
  },
  { concurrency: 1 },
)
