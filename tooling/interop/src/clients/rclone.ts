import { join } from 'node:path'
import { findPrograms } from '../programs.ts'
import { run } from '../run.ts'
import { type ForeignClientKind, linesOf } from './client.ts'

export const rclone: ForeignClientKind = {
  name: 'rclone',
  async open({ aws, bucket }, folder) {
    const found = findPrograms('rclone')
    if ('missing' in found) return found
    const environment = {
      RCLONE_CONFIG: join(folder, 'rclone.conf'),
      RCLONE_CONFIG_PEER_TYPE: 's3',
      RCLONE_CONFIG_PEER_PROVIDER: 'Other',
      RCLONE_CONFIG_PEER_ENDPOINT: aws.endpoint,
      RCLONE_CONFIG_PEER_REGION: 'us-east-1',
      RCLONE_CONFIG_PEER_FORCE_PATH_STYLE: 'true',
      RCLONE_CONFIG_PEER_ACCESS_KEY_ID: aws.root.accessKeyId,
      RCLONE_CONFIG_PEER_SECRET_ACCESS_KEY: aws.root.secretAccessKey,
      RCLONE_CONFIG_PEER_UPLOAD_CUTOFF: '5Mi',
      RCLONE_CONFIG_PEER_CHUNK_SIZE: '5Mi',
      RCLONE_CONFIG_PEER_LIST_CHUNK: '1000',
    }
    const rclone = (...args: string[]) => run(found.programs.rclone, args, { environment, folder })
    const remote = (key: string) => `peer:${bucket}/${key}`
    return {
      put: (key, file) => rclone('copyto', '--ignore-times', file, remote(key)),
      get: (key, file) => rclone('copyto', '--ignore-times', remote(key), file),
      list: async (prefix) =>
        linesOf((await rclone('lsf', '--recursive', '--files-only', remote(prefix))).output).map(
          (name) => prefix + name,
        ),
      copy: (from, to) => rclone('copyto', remote(from), remote(to)),
      remove: (key) => rclone('deletefile', remote(key)),
      presign: async (key) => (await rclone('link', '--expire', '10m', remote(key))).output.toString().trim(),
    }
  },
}
