import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { GetObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { parseArguments } from './arguments.ts'
import { spawnAws } from './spawn.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'penstock-spawn-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const alive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

test('a process of its own starts from a seed, is controlled, and ends', async () => {
  await mkdir(join(folder, 'files', 'deep'), { recursive: true })
  await writeFile(join(folder, 'files', 'a.csv'), 'a\n1\n')
  await writeFile(join(folder, 'files', 'deep', 'b.csv'), 'b\n2\n')
  const seed = join(folder, 'seed.json')
  await writeFile(
    seed,
    JSON.stringify({
      buckets: [{ name: 'lake', region: 'eu-central-1' }],
      users: [
        {
          name: 'ana',
          accessKeyId: 'AKIAEXAMPLEEXAMPLE',
          secretAccessKey: 'secret',
          policies: [{ Statement: { Effect: 'Allow', Action: 's3:GetObject', Resource: '*' } }],
        },
      ],
      roles: [
        {
          name: 'r',
          trustPolicy: { Statement: { Effect: 'Allow', Action: 'sts:AssumeRole', Principal: '*' } },
        },
      ],
      objects: [
        { bucket: 'lake', key: 'text', text: 'x' },
        { bucket: 'lake', key: 'bytes', base64: 'AP8=' },
        { bucket: 'lake', key: 'file', file: 'files/a.csv' },
        { bucket: 'lake', prefix: 'in/', folder: 'files' },
      ],
      databases: [{ name: 'sales' }],
      tables: [{ database: 'sales', name: 'a', format: 'csv', location: 's3://lake/in/' }],
    }),
  )
  const aws = await spawnAws({ seed, rootAccessKeyId: 'AKIAROOTROOTROOTROOT', rootSecretAccessKey: 'hidden' })
  expect(aws.root).toEqual({ accessKeyId: 'AKIAROOTROOTROOTROOT', secretAccessKey: 'hidden' })
  expect(await aws.control.listKeys('lake')).toEqual(['bytes', 'file', 'in/a.csv', 'in/deep/b.csv', 'text'])
  expect((await aws.control.roles()).map(({ name }) => name)).toEqual(['r'])
  const client = new S3Client({
    endpoint: aws.endpoint,
    region: 'eu-central-1',
    forcePathStyle: true,
    credentials: { accessKeyId: 'AKIAEXAMPLEEXAMPLE', secretAccessKey: 'secret' },
  })
  const { Body } = await client.send(new GetObjectCommand({ Bucket: 'lake', Key: 'in/deep/b.csv' }))
  expect(await Body?.transformToString()).toBe('b\n2\n')
  client.destroy()
  await aws.close()
  await aws.close()
  expect(alive(aws.pid)).toBe(false)
})

test('it ends with the input of its parent, and on SIGINT, with exit code 0', async () => {
  const main = fileURLToPath(new URL('../main.ts', import.meta.url))
  for (const end of ['input', 'SIGINT'] as const) {
    const child = spawn(process.execPath, ['--conditions=penstock:source', main, '--exit-with-stdin'])
    const [line] = await once(child.stdout, 'data')
    expect(JSON.parse(String(line))).toMatchObject({
      endpoint: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/),
    })
    if (end === 'input') child.stdin.end()
    else child.kill('SIGINT')
    expect(await once(child, 'exit')).toEqual([0, null])
  }
})

test('a start that fails rejects with the reason, and leaves no process', async () => {
  const seed = join(folder, 'wrong.json')
  await writeFile(seed, JSON.stringify({ buckets: [{ nme: 'lake' }] }))
  await expect(spawnAws({ seed })).rejects.toThrow(/exit code 1.*buckets\[0\]/s)
  await writeFile(seed, '{')
  await expect(spawnAws({ seed })).rejects.toThrow(/wrong\.json is not JSON/)
  await expect(spawnAws({ account: '12' })).rejects.toThrow('--account takes 12 digits')
})

test('the command line is checked', () => {
  const parse = (...argv: string[]) => parseArguments(argv, {})
  expect(parse()).toEqual({ exitWithStdin: false })
  expect(parse('--port', '8080', '--latency=20', '--data', 'd', '--exit-with-stdin')).toEqual({
    port: 8080,
    latencyMs: 20,
    data: 'd',
    exitWithStdin: true,
  })
  expect(parse('--help')).toBe('help')
  expect(() => parse('--port', '70000')).toThrow('--port takes a whole number from 0 to 65535')
  expect(() => parse('--latency', '-1')).toThrow()
  expect(() => parse('--prot', '1')).toThrow('--prot')
  expect(() => parse('file')).toThrow()
  expect(() => parseArguments([], { PENSTOCK_AWS_ACCESS_KEY_ID: 'x' })).toThrow('go together')
  expect(parseArguments([], { PENSTOCK_AWS_CONTROL_TOKEN: 't' })).toMatchObject({ controlToken: 't' })
})
