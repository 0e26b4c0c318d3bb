import { fileURLToPath } from 'node:url'
import { findPython } from '../programs.ts'
import { run } from '../run.ts'
import { awsEnvironment, type ForeignClientKind } from './client.ts'

/** A client library of Python, driven by a small script: one line of JSON for a call. */
const pythonClient = (module: string, name: string): ForeignClientKind => ({
  name,
  async open(target) {
    const found = findPython(module)
    if ('missing' in found) return found
    const script = fileURLToPath(new URL(`${module}_client.py`, import.meta.url))
    const environment = awsEnvironment(target)
    const call = async (...args: string[]): Promise<unknown> => {
      const { output } = await run(found.python, [script, target.aws.endpoint, target.bucket, ...args], {
        environment,
      })
      return JSON.parse(output.toString())
    }
    return {
      put: (key, file) => call('put', key, file),
      get: (key, file) => call('get', key, file),
      list: async (prefix) => (await call('list', prefix)) as string[],
      copy: (from, to) => call('copy', from, to),
      remove: (key) => call('remove', key),
      presign: async (key) => String(await call('presign', key)),
    }
  },
})

export const boto3 = pythonClient('boto3', 'boto3')
export const minioPy = pythonClient('minio', 'minio-py')
