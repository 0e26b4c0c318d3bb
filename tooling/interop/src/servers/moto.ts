import { findPrograms } from '../programs.ts'
import { freePorts, listening, startService } from '../run.ts'
import { type ForeignServer, keys } from './server.ts'

/** The Python mock of AWS, as a server. It checks no signatures. */
export const moto: ForeignServer = {
  name: 'moto',
  async start() {
    const found = findPrograms('moto_server')
    if ('missing' in found) return found
    const [port = 0] = await freePorts(1)
    const service = startService(found.programs.moto_server, ['-H', '127.0.0.1', '-p', String(port)])
    try {
      await listening(port, service)
    } catch (error) {
      await service.stop()
      throw error
    }
    return { endpoint: `http://127.0.0.1:${port}`, region: 'us-east-1', ...keys, stop: service.stop }
  },
  lacks: { 'wrong-secret': 'moto checks no signatures' },
}
