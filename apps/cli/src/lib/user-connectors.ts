import { existsSync } from 'node:fs'
import { copyFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { type AnyConnector, ConnectorError } from '@penstock/core'
import { findPackage, userFolder } from './connector-packages.ts'
import { loadConnector } from './connectors.ts'
import { npm } from './npm.ts'

/** A connector that was installed for all projects of this user. */
export interface UserConnector {
  /** Name of the package: what `connector:` says. */
  readonly reference: string
  readonly version: string
  readonly connector: AnyConnector
}

const manifestFile = 'package.json'
const lockFile = 'package-lock.json'

/** Packages that were asked for, with what was asked for. */
const wanted = async (folder: string): Promise<Readonly<Record<string, string>>> => {
  const text = await readFile(join(folder, manifestFile), 'utf8').catch(() => '{}')
  return (JSON.parse(text) as { dependencies?: Record<string, string> }).dependencies ?? {}
}

/**
 * Installs packages as connectors of this user: names with or without a version, tarballs, folders, as npm takes them.
 * What is no connector of this contract, or in the way of another one, is not kept.
 */
export const installConnectors = async (
  packages: readonly string[],
  { signal }: { readonly signal: AbortSignal },
): Promise<readonly UserConnector[]> => {
  const folder = userFolder()
  await mkdir(folder, { recursive: true })
  const manifest = join(folder, manifestFile)
  if (!existsSync(manifest)) await writeFile(manifest, '{ "private": true }\n')
  const former = await remember(folder, signal)
  try {
    const before = await wanted(folder)
    await npm(['install', '--', ...packages.map(specification)], { folder, signal })
    const after = Object.entries(await wanted(folder))
    const isMeant = ([name, range]: [string, string]) =>
      before[name] !== range || packages.some((given) => given.replace(/(?<=.)@.*$/, '') === name)
    return await Promise.all(after.filter(isMeant).map(([name]) => checked(name, folder)))
  } catch (error) {
    await former.restore()
    throw error
  } finally {
    await former.forget()
  }
}

/** Removes packages that were installed by {@link installConnectors}. */
export const uninstallConnectors = async (
  names: readonly string[],
  { signal }: { readonly signal: AbortSignal },
): Promise<void> => {
  const folder = userFolder()
  const installed = Object.keys(await wanted(folder))
  const unknown = names.find((name) => !installed.includes(name))
  if (unknown !== undefined)
    throw new ConnectorError('not-found', `${unknown} is not among the connectors of this user.`, {
      code: 'NoSuchConnector',
      hint: installed.length > 0 ? `Installed: ${installed.join(', ')}.` : 'None is installed.',
    })
  await npm(['uninstall', '--', ...names], { folder, signal })
}

/** A path is meant from where the user is; a word that looks like a flag is none of npm's. */
const specification = (given: string): string => {
  if (given.startsWith('-'))
    throw new ConnectorError('config', `"${given}" is no package.`, {
      code: 'Usage',
      hint: 'Give the name of a package, or the path of a tarball or folder.',
    })
  return /^(\.{0,2}[\\/]|\.\.?$)/.test(given) || (/\.tgz$/.test(given) && !given.includes('://'))
    ? resolve(given)
    : given
}

/** Remembers what is installed, to take back what npm changes: the files that say it, and by them the rest. */
const remember = async (folder: string, signal: AbortSignal) => {
  const copies = [manifestFile, lockFile].map((name) => ({
    file: join(folder, name),
    copy: join(folder, `.before-${name}`),
    exists: existsSync(join(folder, name)),
  }))
  for (const { file, copy, exists } of copies) if (exists) await copyFile(file, copy)
  return {
    restore: async () => {
      for (const { file, copy, exists } of copies)
        await (exists ? copyFile(copy, file) : rm(file, { force: true }))
      // The first error is the one to tell, also where this does not work without a network.
      await npm(['install', '--prefer-offline'], { folder, signal }).catch(() => {})
    },
    forget: async () => {
      for (const { copy } of copies) await rm(copy, { force: true })
    },
  }
}

const checked = async (name: string, folder: string): Promise<UserConnector> => {
  const found = await findPackage(name, folder)
  if (found && !found.isConnector)
    throw new ConnectorError('config', `${name} ${found.version} is no connector of Penstock.`, {
      code: 'ConnectorBroken',
      hint: 'Its package.json does not have the keyword penstock-connector. It was not kept.',
    })
  const connector = await loadConnector(name, folder)
  return { reference: name, version: found?.version ?? '', connector }
}
