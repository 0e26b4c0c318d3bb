import { randomUUID } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { findPrograms } from '../programs.ts'
import { freePorts, listening, run, type Service, startService } from '../run.ts'
import { type ForeignServer, keys } from './server.ts'

const names = [
  'ceph',
  'ceph-authtool',
  'ceph-mon',
  'ceph-osd',
  'monmaptool',
  'radosgw',
  'radosgw-admin',
] as const

const everything = (...services: string[]) => services.flatMap((service) => ['--cap', service, 'allow *'])

/** All keys are in one file, which the monitor takes over when it is made. */
const daemons: [string, string[]][] = [
  ['mon.', everything('mon')],
  ['client.admin', everything('mon', 'osd', 'mgr')],
  ['osd.0', ['--cap', 'mon', 'allow profile osd', '--cap', 'osd', 'allow *']],
  ['client.rgw', everything('mon', 'osd')],
]

/** Ceph's gateway over one monitor and one storage daemon that keeps everything in memory. */
export const radosgw: ForeignServer = {
  name: 'radosgw',
  async start(folder) {
    const found = findPrograms(...names)
    if ('missing' in found) return found
    const { programs } = found
    const [port = 0, monitorPort = 0] = await freePorts(2)
    const [fsid, osd] = [randomUUID(), randomUUID()]
    const conf = join(folder, 'ceph.conf')
    for (const sub of ['mon', 'osd', 'rgw', 'run']) await mkdir(join(folder, sub))
    await writeFile(conf, configuration({ folder, fsid, monitorPort, port }))
    const services: Service[] = []
    const start = (program: (typeof names)[number], ...args: string[]) => {
      const service = startService(programs[program], ['-c', conf, '-f', ...args])
      services.push(service)
      return service
    }
    const stop = async () => {
      for (const service of services.toReversed()) await service.stop()
    }
    try {
      const map = join(folder, 'monmap')
      const address = `[v2:127.0.0.1:${monitorPort}]`
      await run(programs.monmaptool, ['--create', '--fsid', fsid, '--addv', 'a', address, map])
      const keyring = join(folder, 'keyring')
      await writeFile(keyring, '')
      for (const [name, capabilities] of daemons)
        await run(programs['ceph-authtool'], [keyring, '--gen-key', '-n', name, ...capabilities])
      await run(programs['ceph-mon'], [
        '-c',
        conf,
        '--mkfs',
        '-i',
        'a',
        '--monmap',
        map,
        '--keyring',
        keyring,
      ])
      await listening(monitorPort, start('ceph-mon', '-i', 'a'))
      await run(programs.ceph, ['-c', conf, '--connect-timeout', '30', 'osd', 'new', osd])
      await run(programs['ceph-osd'], ['-c', conf, '--mkfs', '-i', '0', '--osd-uuid', osd])
      start('ceph-osd', '-i', '0')
      const gateway = start('radosgw', '-n', 'client.rgw')
      await listening(port, gateway, 120_000)
      const { accessKeyId, secretAccessKey } = keys
      await run(programs['radosgw-admin'], [
        ...['-c', conf, 'user', 'create', '--uid', 'interop', '--display-name', 'interop'],
        ...['--access-key', accessKeyId, '--secret-key', secretAccessKey],
      ])
    } catch (error) {
      await stop()
      throw error
    }
    return { endpoint: `http://127.0.0.1:${port}`, region: 'default', ...keys, stop }
  },
}

interface Places {
  readonly folder: string
  readonly fsid: string
  readonly monitorPort: number
  readonly port: number
}

const configuration = ({ folder, fsid, monitorPort, port }: Places) => `[global]
fsid = ${fsid}
mon host = [v2:127.0.0.1:${monitorPort}]
keyring = ${folder}/keyring
public addr = 127.0.0.1
cluster addr = 127.0.0.1
run dir = ${folder}/run
admin socket = ${folder}/run/$name.asok
log file = ${folder}/$name.log
osd objectstore = memstore
memstore device bytes = 4294967296
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 1
osd pool default pgp num = 1
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
mon allow pool size one = true
mon max pg per osd = 1000
mon data = ${folder}/mon
mon data avail crit = 1
osd data = ${folder}/osd
[client.rgw]
rgw data = ${folder}/rgw
rgw frontends = beast endpoint=127.0.0.1:${port}
rgw enable usage log = false
rgw enable ops log = false
`
