import { findPrograms } from '../programs.ts'
import { run } from '../run.ts'
import { type ForeignClientKind, linesOf } from './client.ts'

export const s4cmd: ForeignClientKind = {
  name: 's4cmd',
  async open({ aws, bucket }, folder) {
    const found = findPrograms('s4cmd')
    if ('missing' in found) return found
    const environment = {
      S3_ACCESS_KEY: aws.root.accessKeyId,
      S3_SECRET_KEY: aws.root.secretAccessKey,
      AWS_DEFAULT_REGION: 'us-east-1',
      HOME: folder,
    }
    const split = String(5 << 20)
    const options = ['--endpoint-url', aws.endpoint, '--force', '--num-threads', '4']
    const multipart = ['--multipart-split-size', split, '--max-singlepart-upload-size', split]
    const s4cmd = (...args: string[]) =>
      run(found.programs.s4cmd, [...options, ...multipart, ...args], { environment, folder })
    const url = (key: string) => `s3://${bucket}/${key}`
    return {
      put: (key, file) => s4cmd('put', file, url(key)),
      get: (key, file) => s4cmd('get', url(key), file),
      async list(prefix) {
        const { output } = await s4cmd('ls', '--recursive', url(prefix))
        return linesOf(output).map((line) => line.slice(line.indexOf(url('')) + url('').length))
      },
      copy: (from, to) => s4cmd('cp', url(from), url(to)),
      remove: (key) => s4cmd('del', url(key)),
    }
  },
}
