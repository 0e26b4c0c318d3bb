import { resolve, win32 } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { keyOfPath, pathOfKey } from './names.ts'

const posix = { windows: false }
const windows = { windows: true }

test.each([
  ['a/b.csv', 'a/b.csv', 'a/b.csv'],
  ['../x', '%2E%2E/x', '%2E%2E/x'],
  ['a/./b', 'a/%2E/b', 'a/%2E/b'],
  ['/abs', '%2F/abs', '%2F/abs'],
  ['a//b', 'a/%2F/b', 'a/%2F/b'],
  ['dir/', 'dir/%2F', 'dir/%2F'],
  ['nul\0byte', 'nul%00byte', 'nul%00byte'],
  ['a\\b', 'a\\b', 'a%5Cb'],
  ['con', 'con', '%63on'],
  ['x/AUX.txt', 'x/AUX.txt', 'x/%41UX.txt'],
  ['contract', 'contract', 'contract'],
  ['2024-01-01T00:00', '2024-01-01T00:00', '2024-01-01T00%3A00'],
  ['dot.', 'dot.', 'dot%2E'],
  ['100%', '100%', '100%'],
  ['a%20b', 'a%20b', 'a%2520b'],
  ['a%2Fb', 'a%252Fb', 'a%252Fb'],
  ['größe', 'größe', 'größe'],
])('key %j has the path %j, on Windows %j', (key, path, windowsPath) => {
  expect(pathOfKey(key, posix)).toBe(path)
  expect(pathOfKey(key, windows)).toBe(windowsPath)
})

const segments = fc.oneof(
  fc.constantFrom('', '.', '..', 'con', 'Nul.txt', 'a\\b', 'a:b', '%2F', '%2E%2E', '%', 'x.', 'x '),
  fc.string({ unit: 'grapheme', maxLength: 8 }),
)
const keys = fc.array(segments, { minLength: 1, maxLength: 5 }).map((parts) => parts.join('/'))

test('whatever the key, its path stays in the folder and leads back to it', () => {
  fc.assert(
    fc.property(keys, fc.boolean(), (key, onWindows) => {
      const rules = { windows: onWindows }
      const path = pathOfKey(key, rules) as string
      expect(keyOfPath(path, rules)).toBe(key)
      const inside = onWindows
        ? win32.resolve('C:\\root', path).startsWith('C:\\root\\')
        : resolve('/root', path).startsWith('/root/')
      expect(inside).toBe(true)
      if (onWindows) expect(win32.resolve('C:\\root', path)).toBe(`C:\\root\\${path.replaceAll('/', '\\')}`)
    }),
    { numRuns: 300 },
  )
})

test('a local name that looks encoded keeps its name', () => {
  expect(keyOfPath('a%20b/%zz/100%25x', posix)).toBe('a%20b/%zz/100%25x')
})

test('a segment that no file system takes has no path', () => {
  expect(pathOfKey(`a/${'x'.repeat(256)}`, posix)).toBeUndefined()
})
