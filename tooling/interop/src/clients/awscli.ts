import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { findPrograms } from '../programs.ts'
import { run } from '../run.ts'
import { awsEnvironment, type ForeignClientKind } from './client.ts'

export const awscli: ForeignClientKind = {
  name: 'awscli',
  async open(target, folder) {
    const found = findPrograms('aws')
    if ('missing' in found) return found
    const config = join(folder, 'aws-config')
    // Without it, presigned URLs carry signature version 2.
    await writeFile(config, '[default]\ns3 =\n  signature_version = s3v4\n')
    const environment = { ...awsEnvironment(target), AWS_CONFIG_FILE: config }
    const aws = (...args: string[]) =>
      run(found.programs.aws, ['--endpoint-url', target.aws.endpoint, ...args], { environment })
    const url = (key: string) => `s3://${target.bucket}/${key}`
    return {
      put: (key, file) => aws('s3', 'cp', '--no-progress', file, url(key)),
      get: (key, file) => aws('s3', 'cp', '--no-progress', url(key), file),
      async list(prefix) {
        const query = ['--query', 'Contents[].Key', '--output', 'json']
        const listing = await aws(
          's3api',
          'list-objects-v2',
          '--bucket',
          target.bucket,
          '--prefix',
          prefix,
          ...query,
        )
        return (JSON.parse(listing.output.toString()) ?? []) as string[]
      },
      copy: (from, to) => aws('s3', 'cp', '--no-progress', url(from), url(to)),
      remove: (key) => aws('s3', 'rm', url(key)),
      presign: async (key) => (await aws('s3', 'presign', url(key))).output.toString().trim(),
    }
  },
}
