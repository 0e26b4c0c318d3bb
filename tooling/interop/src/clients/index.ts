import { awscli } from './awscli.ts'
import type { ForeignClientKind } from './client.ts'
import { boto3, minioPy } from './python.ts'
import { rclone } from './rclone.ts'
import { s3cmd } from './s3cmd.ts'
import { s4cmd } from './s4cmd.ts'
import { s5cmd } from './s5cmd.ts'

export const foreignClients: readonly ForeignClientKind[] = [
  awscli,
  boto3,
  minioPy,
  s3cmd,
  rclone,
  s4cmd,
  s5cmd,
]
