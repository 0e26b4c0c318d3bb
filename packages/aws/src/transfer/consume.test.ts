import { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { consume } from './consume.ts'

const endless = (): Readable =>
  new Readable({
    read() {
      this.push(Buffer.from('x'))
    },
  })

test('every chunk comes once, in order, the next one after the last one is done', async () => {
  const seen: string[] = []
  let busy = 0
  await consume(Readable.from([Buffer.from('a'), Buffer.from('b'), Buffer.from('c')]), async (chunk) => {
    expect(busy++).toBe(0)
    await sleep(1)
    seen.push(String(chunk))
    busy--
  })
  expect(seen).toEqual(['a', 'b', 'c'])
})

test('an error of the consumer ends the body', async () => {
  for (const onChunk of [
    () => {
      throw new Error('full')
    },
    () => Promise.reject(new Error('full')),
  ]) {
    const body = endless()
    await expect(consume(body, onChunk)).rejects.toThrow('full')
    expect(body.destroyed).toBe(true)
  }
})

test('a body that breaks off is an error only after the last chunk is done with', async () => {
  const body = endless()
  let done = false
  const running = consume(body, async () => {
    body.destroy(new Error('reset'))
    await sleep(5)
    done = true
  })
  await expect(running).rejects.toThrow('reset')
  expect(done).toBe(true)
})

test('a body that is destroyed without an error is one all the same', async () => {
  const body = endless()
  await expect(consume(body, () => void body.destroy())).rejects.toMatchObject({ code: 'ECONNRESET' })
})
