import { mkdir, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { endpointFields } from './sample-world.ts'

/** A block of TypeScript of a page. */
export interface TypeScriptSample {
  /** `docs/export.md#1`: the page, and which of its blocks, from 1. */
  readonly id: string
  /** Line of the page, from 1. */
  readonly line: number
  readonly text: string
}

/** What a page leaves to its reader. */
export interface Surroundings {
  /** Code in front of the block: names that it uses. */
  readonly before?: string
  /** Code after it: what makes something of the block that only defines. */
  readonly after?: string
  /** Modules that it imports, by path from it. */
  readonly modules?: Readonly<Record<string, string>>
  /** Why it is compiled only, and not run. */
  readonly compiledOnly?: string
}

export const typescriptSamplesOf = (page: string, markdown: string): readonly TypeScriptSample[] =>
  [...markdown.matchAll(/^```ts\n(.*?)^```/gms)].map((match, index) => ({
    id: `${page}#${index + 1}`,
    line: markdown.slice(0, match.index).split('\n').length + 1,
    text: match[1] ?? '',
  }))

/** Within the workspace, where its packages are found. */
export const samplesFolder = fileURLToPath(new URL('../.samples', import.meta.url))

/**
 * Path of a module of a sample, in a `test` folder of its own, so that it may have a `src` next to it: as it stands for
 * the compiler, or with the endpoints of an account to be run.
 */
export const modulePath = (id: string, name: 'sample' | 'run'): string =>
  join(samplesFolder, id.replaceAll(/[^a-zA-Z0-9]+/g, '-'), 'test', `${name}.ts`)

/** AWS without an endpoint is the real one. */
const toAccount = (text: string, endpoint: string): string =>
  text.replaceAll(/region: '[a-z0-9-]+',/g, (region) => {
    const connection = /\bglue\(/.test(text) ? { connector: 'zero-copy-glue' } : {}
    const fields = Object.entries(endpointFields(connection, endpoint))
    return [region, ...fields.map(([name, url]) => `${name}: '${url}',`)].join(' ')
  })

/** Writes the samples as modules. */
export const writeSamples = async (
  samples: readonly TypeScriptSample[],
  surroundings: Readonly<Record<string, Surroundings>>,
  endpoint: string,
): Promise<void> => {
  await rm(samplesFolder, { recursive: true, force: true })
  const write = async (path: string, text: string) => {
    await mkdir(dirname(path), { recursive: true })
    await writeFile(path, text)
  }
  for (const { id, text } of samples) {
    const { before = '', after = '', modules = {} } = surroundings[id] ?? {}
    // What is exported by default is `exported` for the code after it.
    const named = text.replace(/^export default /m, 'export const exported = ')
    const whole = [before, named, after, 'export {}', ''].join('\n')
    const path = modulePath(id, 'sample')
    await write(path, whole)
    await write(modulePath(id, 'run'), toAccount(whole, endpoint))
    for (const [relative, module] of Object.entries(modules))
      await write(join(dirname(path), relative), module)
  }
  await write(
    join(samplesFolder, 'tsconfig.json'),
    JSON.stringify({ extends: '../../tsconfig/base.json', include: ['**/sample.ts'] }),
  )
}
