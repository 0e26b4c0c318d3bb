import { randomBytes } from 'node:crypto'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Aws, startAws } from '@penstock/testkit'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { awsEnvironment } from '../src/clients/client.ts'
import { findPrograms, findPython } from '../src/programs.ts'
import { run } from '../src/run.ts'

let aws: Aws
let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'penstock-interop-'))
  aws = await startAws()
  aws.s3.createBucket({ name: 'interop' })
})
afterEach(async () => {
  await aws.close()
  await rm(folder, { recursive: true, force: true })
})

describe('STS', () => {
  const createRole = () => {
    const user = aws.identities.createUser({
      name: 'caller',
      policies: [{ Statement: { Effect: 'Allow', Action: 'sts:AssumeRole', Resource: '*' } }],
    })
    const { arn } = aws.identities.createRole({
      name: 'reader',
      trustPolicy: {
        Statement: {
          Effect: 'Allow',
          Principal: { AWS: user.arn },
          Action: 'sts:AssumeRole',
          Condition: { StringEquals: { 'sts:ExternalId': 'right' } },
        },
      },
      policies: [
        { Statement: { Effect: 'Allow', Action: 's3:GetObject', Resource: 'arn:aws:s3:::interop/*' } },
      ],
    })
    const environment = {
      ...awsEnvironment({ aws, bucket: 'interop' }),
      AWS_ACCESS_KEY_ID: user.accessKeyId,
      AWS_SECRET_ACCESS_KEY: user.secretAccessKey,
    }
    return { arn, environment }
  }

  test('awscli assumes a role with the right external id alone, and reads with it', async (context) => {
    const found = findPrograms('aws')
    if ('missing' in found) return context.skip(`awscli: ${found.missing}`)
    const { arn, environment } = createRole()
    const cli = (args: string[], more: Record<string, string> = {}, accept = [0]) =>
      run(found.programs.aws, ['--endpoint-url', aws.endpoint, ...args], {
        environment: { ...environment, ...more },
        accept,
      })
    const assume = [
      'sts',
      'assume-role',
      '--role-arn',
      arn,
      '--role-session-name',
      'interop',
      '--external-id',
    ]
    expect((await cli([...assume, 'wrong'], {}, [254, 255])).errors).toContain('AccessDenied')
    const { Credentials: given } = JSON.parse((await cli([...assume, 'right'])).output.toString())
    const session = {
      AWS_ACCESS_KEY_ID: given.AccessKeyId,
      AWS_SECRET_ACCESS_KEY: given.SecretAccessKey,
      AWS_SESSION_TOKEN: given.SessionToken,
    }
    const identity = JSON.parse((await cli(['sts', 'get-caller-identity'], session)).output.toString())
    expect(identity.Arn).toMatch(/:assumed-role\/reader\/interop$/)
    await aws.s3.putObject({ bucket: 'interop', key: 'a.txt', body: 'read by a role' })
    expect((await cli(['s3', 'cp', 's3://interop/a.txt', '-'], session)).output.toString()).toBe(
      'read by a role',
    )
    expect((await cli(['s3', 'rm', 's3://interop/a.txt'], session, [1])).errors).toContain('AccessDenied')
  })

  test('boto3 assumes a role with an external id, and reads with it', async (context) => {
    const found = findPython('boto3')
    if ('missing' in found) return context.skip(`boto3: ${found.missing}`)
    const { arn, environment } = createRole()
    await aws.s3.putObject({ bucket: 'interop', key: 'a.txt', body: 'read by a role' })
    const script = `
import boto3, sys
endpoint, arn = sys.argv[1:]
sts = boto3.client("sts", endpoint_url=endpoint)
given = sts.assume_role(RoleArn=arn, RoleSessionName="interop", ExternalId="right", DurationSeconds=900)["Credentials"]
s3 = boto3.client("s3", endpoint_url=endpoint, aws_access_key_id=given["AccessKeyId"],
    aws_secret_access_key=given["SecretAccessKey"], aws_session_token=given["SessionToken"])
print(s3.get_object(Bucket="interop", Key="a.txt")["Body"].read().decode(), end="")
`
    const { output } = await run(found.python, ['-c', script, aws.endpoint, arn], { environment })
    expect(output.toString()).toBe('read by a role')
  })
})

test('restic backs up, checks and restores', async (context) => {
  const found = findPrograms('restic')
  if ('missing' in found) return context.skip(`restic: ${found.missing}`)
  const environment = {
    ...awsEnvironment({ aws, bucket: 'interop' }),
    RESTIC_REPOSITORY: `s3:${aws.endpoint}/interop/repository`,
    RESTIC_PASSWORD: 'interop',
  }
  const restic = (...args: string[]) =>
    run(found.programs.restic, [...args, '--no-cache', '--quiet'], { environment, folder })
  const files = Object.fromEntries(
    ['a.bin', 'ü +%.bin', 'deep/er/b.bin'].map((name, index) => [name, randomBytes(index * 4_000_000 + 10)]),
  )
  await mkdir(join(folder, 'data', 'deep', 'er'), { recursive: true })
  for (const [name, body] of Object.entries(files)) await writeFile(join(folder, 'data', name), body)
  await restic('init')
  await restic('backup', 'data')
  await restic('check', '--read-data')
  await restic('restore', 'latest', '--target', 'restored')
  for (const [name, body] of Object.entries(files))
    expect((await readFile(join(folder, 'restored', 'data', name))).equals(body)).toBe(true)
})
