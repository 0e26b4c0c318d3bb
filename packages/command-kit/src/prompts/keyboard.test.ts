import { PassThrough } from 'node:stream'
import { expect, it } from 'vitest'
import { terminalPrompter } from './prompter.ts'

const down = '\u001b[B'

/** Somebody who types all of it at once, before the first question. */
const typing = async (keys: string) => {
  const terminal = new PassThrough()
  const output = Object.assign(new PassThrough(), { columns: 0 })
  output.resume()
  terminal.write(keys)
  return terminalPrompter('Questions', { terminal, output })
}

const choices = ['one', 'two', 'three'].map((value) => ({ value, label: value }))

it('takes what was typed ahead, question by question', async () => {
  const prompter = await typing(`lake\r${down}${down}\r\ryé\n`)
  expect(await prompter.text({ message: 'Name' })).toBe('lake')
  expect(await prompter.select({ message: 'Number', choices })).toBe('three')
  expect(await prompter.text({ message: 'Place', initial: 'here' })).toBe('here')
  expect(await prompter.confirm({ message: 'Sure?', initial: false })).toBe(true)
  expect(await prompter.text({ message: 'Last' })).toBe('é')
})

it('lets a proposed answer be deleted', async () => {
  const prompter = await typing(`${'\u007f'.repeat(9)}there\r`)
  expect(await prompter.text({ message: 'Place', initial: 'here' })).toBe('there')
})

it('asks once more where an answer is wrong, with the keys that follow', async () => {
  const prompter = await typing('x\r\u007fyes\r')
  const validate = (answer: string) => (answer === 'yes' ? undefined : 'no')
  expect(await prompter.text({ message: 'Say yes', validate })).toBe('yes')
})

it('ends with Ctrl-C, whatever follows', async () => {
  const prompter = await typing('\u0003lake\r')
  await expect(prompter.text({ message: 'Name' })).rejects.toMatchObject({ kind: 'cancelled' })
})
