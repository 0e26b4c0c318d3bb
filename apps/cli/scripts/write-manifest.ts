import { writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { Config, type Interfaces } from '@oclif/core'

// Flags and descriptions of all commands as data, so that a start loads one command and not all. Runs before packing.
const root = fileURLToPath(new URL('..', import.meta.url))
const config = await Config.load({ root, ignoreManifest: true, errorOnManifestCreate: true })
const plugin = config.plugins.get(config.name) as
  | (Interfaces.Plugin & { manifest: Interfaces.Manifest })
  | undefined
if (!plugin || Object.keys(plugin.manifest.commands).length === 0)
  throw new Error('No commands were found: build first')
await writeFile(`${root}/oclif.manifest.json`, `${JSON.stringify(plugin.manifest)}\n`)
