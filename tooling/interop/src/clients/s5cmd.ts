import { findPrograms } from '../programs.ts'
import { run } from '../run.ts'
import { awsEnvironment, type ForeignClientKind, linesOf } from './client.ts'

export const s5cmd: ForeignClientKind = {
  name: 's5cmd',
  async open(target, folder) {
    const found = findPrograms('s5cmd')
    if ('missing' in found) return found
    const { aws, bucket } = target
    const environment = { ...awsEnvironment(target), HOME: folder }
    // Keys are taken as they are written: `raw` for those with characters that globs use.
    const s5cmd = (...args: string[]) =>
      run(found.programs.s5cmd, ['--endpoint-url', aws.endpoint, ...args], { environment, folder })
    const url = (key: string) => `s3://${bucket}/${key}`
    return {
      put: (key, file) => s5cmd('cp', '--raw', '--part-size', '5', file, url(key)),
      get: (key, file) => s5cmd('cp', '--raw', '--part-size', '5', url(key), file),
      async list(prefix) {
        const { output } = await s5cmd('ls', '--show-fullpath', url(`${prefix}*`))
        return linesOf(output).map((line) => line.slice(url('').length))
      },
      copy: (from, to) => s5cmd('cp', '--raw', url(from), url(to)),
      remove: (key) => s5cmd('rm', '--raw', url(key)),
      async presign(key) {
        const { output } = await s5cmd('presign', url(key))
        return output.toString().trim()
      },
    }
  },
}
