import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { findPrograms } from '../programs.ts'
import { freePorts, listening, startService } from '../run.ts'
import { type ForeignServer, keys } from './server.ts'

/** Master, volume server, filer and S3 gateway in one process. */
export const seaweedfs: ForeignServer = {
  name: 'SeaweedFS',
  async start(folder) {
    const found = findPrograms('weed')
    if ('missing' in found) return found
    const config = join(folder, 's3.json')
    const { accessKeyId: accessKey, secretAccessKey: secretKey } = keys
    const identity = { name: 'interop', credentials: [{ accessKey, secretKey }], actions: ['Admin'] }
    await writeFile(config, JSON.stringify({ identities: [identity] }))
    // The gRPC ports are the HTTP ports plus 10,000 unless given.
    const [s3 = 0, s3Grpc, master, masterGrpc, volume, volumeGrpc, filer, filerGrpc] = await freePorts(8)
    const ports = { 's3.port': s3, 's3.port.grpc': s3Grpc, 'filer.port': filer, 'filer.port.grpc': filerGrpc }
    const more = {
      'master.port': master,
      'master.port.grpc': masterGrpc,
      'volume.port': volume,
      'volume.port.grpc': volumeGrpc,
    }
    const service = startService(found.programs.weed, [
      'server',
      ...['-dir', folder, '-ip', '127.0.0.1', '-ip.bind', '127.0.0.1', '-s3', '-s3.config', config],
      ...['-volume.max', '50', '-master.volumeSizeLimitMB', '64', '-master.telemetry=false'],
      ...Object.entries({ ...ports, ...more }).map(([flag, port]) => `-${flag}=${port}`),
    ])
    try {
      await listening(s3, service)
    } catch (error) {
      await service.stop()
      throw error
    }
    return { endpoint: `http://127.0.0.1:${s3}`, region: 'us-east-1', ...keys, stop: service.stop }
  },
  lacks: { slashes: 'keys with .. or // are refused' },
}
