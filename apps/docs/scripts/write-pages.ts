import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Config } from '@oclif/core'
import { runFromSources } from '@penstock/command-kit'
import { builtInConnectors } from '../../cli/src/lib/connectors.ts'
import { commandPages } from '../src/command-pages.ts'
import { connectorPages } from '../src/connector-pages.ts'
import { home } from '../src/home.ts'
import { atHome } from '../src/links.ts'

// The pages of the site, in one folder: the written ones, and the reference made from the commands and schemas of now.
const root = fileURLToPath(new URL('../../..', import.meta.url))
const pages = fileURLToPath(new URL('../.pages', import.meta.url))
await rm(pages, { recursive: true, force: true })
await mkdir(join(pages, 'reference'), { recursive: true })

for (const name of await readdir(join(root, 'docs'))) {
  if (!name.endsWith('.md')) continue
  const text = await readFile(join(root, 'docs', name), 'utf8')
  await writeFile(join(pages, name), atHome(text))
}
// JSON is YAML.
await writeFile(join(pages, 'index.md'), `---\n${JSON.stringify(home)}\n---\n`)

const cli = join(root, 'apps/cli')
const pjson = JSON.parse(await readFile(join(cli, 'package.json'), 'utf8'))
const { commands, bin } = await Config.load(runFromSources(cli, pjson, []))
const groups = {
  commands: commandPages(
    commands.filter(({ pluginName }) => pluginName === pjson.name),
    bin,
  ),
  connectors: connectorPages(await Promise.all(builtInConnectors.map((connector) => connector.load()))),
}
for (const { link, content } of Object.values(groups).flat()) {
  const path = join(pages, `${link}.md`)
  await mkdir(dirname(path), { recursive: true })
  await writeFile(path, content)
}
const index = Object.fromEntries(
  Object.entries(groups).map(([group, items]) => [group, items.map(({ text, link }) => ({ text, link }))]),
)
await writeFile(join(pages, 'reference.json'), JSON.stringify(index))
