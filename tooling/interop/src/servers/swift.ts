import { mkdir, writeFile } from 'node:fs/promises'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { findPrograms } from '../programs.ts'
import { freePorts, listening, run, type Service, startService } from '../run.ts'
import type { ForeignServer } from './server.ts'

const names = [
  'swift-ring-builder',
  'swift-account-server',
  'swift-container-server',
  'swift-object-server',
  'swift-proxy-server',
] as const
const kinds = ['account', 'container', 'object'] as const

/** OpenStack Swift with its S3 middleware: a proxy and one server of each kind, one replica. */
export const swift: ForeignServer = {
  name: 'swift s3api',
  lacks: { checksums: 'its CompleteMultipartUpload takes no checksums' },
  async start(folder) {
    const found = findPrograms(...names)
    if ('missing' in found) return found
    const { programs } = found
    const [port = 0, ...ports] = await freePorts(4)
    await mkdir(join(folder, 'devices', 'd1'), { recursive: true })
    await writeFile(join(folder, 'swift.conf'), '[swift-hash]\nswift_hash_path_suffix = interop\n')
    const common = `swift_dir = ${folder}\nuser = ${userInfo().username}\nbind_ip = 127.0.0.1\nworkers = 0\n`
    const services: Service[] = []
    const start = async (program: (typeof names)[number], conf: string, boundPort: number) => {
      const service = startService(programs[program], [conf])
      services.push(service)
      await listening(boundPort, service)
    }
    const stop = async () => {
      for (const service of services.toReversed()) await service.stop()
    }
    try {
      for (const [index, kind] of kinds.entries()) {
        const builder = join(folder, `${kind}.builder`)
        const ring = (...args: string[]) =>
          run(programs['swift-ring-builder'], [builder, ...args], { accept: [0, 1] })
        await ring('create', '4', '1', '1')
        await ring('add', `r1z1-127.0.0.1:${ports[index]}/d1`, '1')
        await ring('rebalance')
        const conf = join(folder, `${kind}-server.conf`)
        await writeFile(
          conf,
          `[DEFAULT]\n${common}bind_port = ${ports[index]}\ndevices = ${folder}/devices\nmount_check = false\n` +
            `[pipeline:main]\npipeline = ${kind}-server\n[app:${kind}-server]\nuse = egg:swift#${kind}\n`,
        )
        await start(`swift-${kind}-server`, conf, ports[index] ?? 0)
      }
      const conf = join(folder, 'proxy-server.conf')
      await writeFile(conf, proxy(`${common}bind_port = ${port}\n`))
      await start('swift-proxy-server', conf, port)
    } catch (error) {
      await stop()
      throw error
    }
    const endpoint = `http://127.0.0.1:${port}`
    return { endpoint, region: 'us-east-1', accessKeyId: 'test:tester', secretAccessKey: 'testing', stop }
  },
}

const proxy = (common: string) => `[DEFAULT]
${common}[pipeline:main]
pipeline = catch_errors proxy-logging cache listing_formats bulk s3api tempauth slo proxy-server
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
allow_account_management = true
[filter:catch_errors]
use = egg:swift#catch_errors
[filter:proxy-logging]
use = egg:swift#proxy_logging
[filter:cache]
use = egg:swift#memcache
memcache_servers = 127.0.0.1:9
[filter:listing_formats]
use = egg:swift#listing_formats
[filter:bulk]
use = egg:swift#bulk
[filter:slo]
use = egg:swift#slo
[filter:s3api]
use = egg:swift#s3api
location = us-east-1
check_bucket_owner = false
max_multi_delete_objects = 1000
[filter:tempauth]
use = egg:swift#tempauth
user_test_tester = testing .admin
`
