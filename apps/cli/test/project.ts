import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Path of a connector for tests, as `connector:` takes it. */
export const testConnector = (name: 'numbers' | 'newer'): string =>
  fileURLToPath(new URL(`connectors/${name}.ts`, import.meta.url))

/** A project in a temporary folder. */
export interface TestProject {
  readonly folder: string
  readonly file: string
  write(text: string): Promise<void>
  text(): Promise<string>
  /** Everything in the folder, as one text: what is searched for secrets. */
  everything(): Promise<string>
  remove(): Promise<void>
}

export const createTestProject = async (text?: string): Promise<TestProject> => {
  const folder = await mkdtemp(join(tmpdir(), 'penstock-cli-'))
  const file = join(folder, 'penstock.yaml')
  if (text !== undefined) await writeFile(file, text)
  return {
    folder,
    file,
    write: (changed) => writeFile(file, changed),
    text: () => readFile(file, 'utf8'),
    everything: async () => {
      const entries = await readdir(folder, { recursive: true, withFileTypes: true })
      const files = entries.filter((entry) => entry.isFile())
      const bodies = await Promise.all(
        files.map((entry) => readFile(join(entry.parentPath, entry.name), 'latin1')),
      )
      return bodies.join('\n')
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  }
}
