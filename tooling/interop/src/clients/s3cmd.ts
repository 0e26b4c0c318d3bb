import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { findPrograms } from '../programs.ts'
import { run } from '../run.ts'
import { type ForeignClientKind, linesOf } from './client.ts'

export const s3cmd: ForeignClientKind = {
  name: 's3cmd',
  async open({ aws, bucket }, folder) {
    const found = findPrograms('s3cmd')
    if ('missing' in found) return found
    const host = `127.0.0.1:${aws.port}`
    const config = join(folder, 's3cfg')
    await writeFile(
      config,
      `[default]\naccess_key = ${aws.root.accessKeyId}\nsecret_key = ${aws.root.secretAccessKey}\n` +
        `host_base = ${host}\nhost_bucket = ${host}\nuse_https = False\nmultipart_chunk_size_mb = 5\n`,
    )
    const s3cmd = (...args: string[]) => run(found.programs.s3cmd, ['-c', config, '--no-progress', ...args])
    const url = (key: string) => `s3://${bucket}/${key}`
    return {
      put: (key, file) => s3cmd('put', file, url(key)),
      get: (key, file) => s3cmd('get', '--force', url(key), file),
      async list(prefix) {
        const { output } = await s3cmd('ls', '--recursive', url(prefix))
        return linesOf(output).map((line) => line.slice(line.indexOf(url('')) + url('').length))
      },
      copy: (from, to) => s3cmd('cp', url(from), url(to)),
      remove: (key) => s3cmd('del', url(key)),
      // It signs URLs with signature version 2 alone, which S3 has given up.
    }
  },
}
