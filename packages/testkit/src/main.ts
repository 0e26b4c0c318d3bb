#!/usr/bin/env node
import { randomBytes } from 'node:crypto'
import { parseArguments, usage } from './control/arguments.ts'
import { seedFrom } from './control/seed.ts'
import type { ReadyLine } from './control/spawn.ts'
import { startControlledAws } from './control/start.ts'

/** Runs the embedded AWS until a signal, or the end of standard input, ends it. */
async function main(): Promise<void> {
  const settings = parseArguments(process.argv.slice(2), process.env)
  if (settings === 'help') {
    process.stdout.write(usage)
    return
  }
  const { seed, exitWithStdin, controlToken = randomBytes(24).toString('hex'), ...options } = settings
  const aws = await startControlledAws({ ...options, controlToken })
  const end = () => {
    aws.close().then(
      () => process.exit(0),
      () => process.exit(1),
    )
  }
  process.once('SIGTERM', end)
  process.once('SIGINT', end)
  if (exitWithStdin) process.stdin.once('end', end).once('error', end).resume()
  try {
    if (seed !== undefined) await seedFrom(aws, seed)
  } catch (error) {
    await aws.close()
    throw error
  }
  const { endpoint, port, account, root } = aws
  const { accessKeyId, secretAccessKey } = root
  const ready: ReadyLine = { endpoint, port, account, accessKeyId, secretAccessKey, controlToken }
  process.stdout.write(`${JSON.stringify(ready)}\n`)
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exit(1)
})
