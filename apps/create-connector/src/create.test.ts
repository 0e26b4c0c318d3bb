import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createConnector } from './create.ts'
import { kinds, type Names, namesOf } from './names.ts'

let home: string
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'penstock-create-'))
})
afterAll(() => rm(home, { recursive: true }))

const names = (name: string, kind: (typeof kinds)[number]) => namesOf(name, kind) as Names

describe('a new connector', () => {
  it.each(kinds)('of the kind %s has its own name everywhere, and all that a package needs', async (kind) => {
    const folder = join(home, kind)
    const files = await createConnector(folder, kind, names('@crm/leads', kind))
    expect(files).toEqual(
      expect.arrayContaining([
        '.changeset/config.json',
        '.changeset/first-release.md',
        '.github/workflows/ci.yml',
        '.github/workflows/release.yml',
        '.gitignore',
        'LICENSE',
        'README.md',
        'package.json',
        'src/index.ts',
        'test/conformance.test.ts',
        'test/fixture.ts',
      ]),
    )
    const texts = await Promise.all(files.map((path) => readFile(join(folder, path), 'utf8')))
    expect(texts.filter((text) => /acme/i.test(text))).toEqual([])
    const source = await readFile(join(folder, 'src/index.ts'), 'utf8')
    expect(source).toContain(`name: '${kind}-leads'`)
    const manifest = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as {
      keywords: string[]
      dependencies: Record<string, string>
    }
    expect(manifest).toMatchObject({ name: '@crm/leads', publishConfig: { access: 'public' } })
    expect(manifest.keywords).toContain('penstock-connector')
    expect(Object.values(manifest.dependencies).filter((range) => !/^\^\d+\.\d+\.\d+$/.test(range))).toEqual(
      [],
    )
  })

  it('may go into a fresh clone', async () => {
    const folder = join(home, 'clone')
    await mkdir(join(folder, '.git'), { recursive: true })
    await createConnector(folder, 'source', names('leads', 'source'))
    expect(await readdir(folder)).toContain('package.json')
  })

  it('never touches a folder that has something, or a file', async () => {
    const folder = join(home, 'taken')
    await mkdir(folder)
    await writeFile(join(folder, 'mine.txt'), 'mine')
    await expect(createConnector(folder, 'source', names('leads', 'source'))).rejects.toThrow('is not empty')
    expect(await readdir(folder)).toEqual(['mine.txt'])
    await expect(
      createConnector(join(folder, 'mine.txt'), 'source', names('leads', 'source')),
    ).rejects.toThrow('is a file')
  })
})
