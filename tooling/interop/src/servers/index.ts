import { moto } from './moto.ts'
import { radosgw } from './radosgw.ts'
import { seaweedfs } from './seaweedfs.ts'
import type { ForeignServer } from './server.ts'
import { swift } from './swift.ts'
import { versitygw } from './versitygw.ts'

export const foreignServers: readonly ForeignServer[] = [radosgw, swift, seaweedfs, versitygw, moto]
