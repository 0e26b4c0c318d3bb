import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { findPrograms } from '../programs.ts'
import { freePorts, listening, startService } from '../run.ts'
import { type ForeignServer, keys } from './server.ts'

/** Gateway over a folder: keys are paths there. */
export const versitygw: ForeignServer = {
  name: 'versitygw',
  async start(folder) {
    const found = findPrograms('versitygw')
    if ('missing' in found) return found
    const data = join(folder, 'data')
    await mkdir(data)
    const [port = 0] = await freePorts(1)
    const service = startService(found.programs.versitygw, ['--port', `127.0.0.1:${port}`, 'posix', data], {
      environment: { ROOT_ACCESS_KEY: keys.accessKeyId, ROOT_SECRET_KEY: keys.secretAccessKey },
    })
    try {
      await listening(port, service)
    } catch (error) {
      await service.stop()
      throw error
    }
    return { endpoint: `http://127.0.0.1:${port}`, region: 'us-east-1', ...keys, stop: service.stop }
  },
  lacks: { slashes: 'a folder knows neither // nor .. in a path' },
}
