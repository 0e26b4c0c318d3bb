import { pathToFileURL } from 'node:url'
import { type AnyConnector, ConnectorError, connectorKinds } from '@penstock/core'
import type { PackageManifest } from './connector-packages.ts'

/** The one version of the contract that this release runs. */
const contractVersion = 1

/**
 * The default export of a module, which has to be a connector of the contract. `reference` names it in errors;
 * `manifest` tells of the package that it is in.
 */
export const loadModule = async (
  path: string,
  reference: string,
  manifest?: PackageManifest,
): Promise<AnyConnector> => {
  let loaded: { default?: unknown }
  try {
    loaded = (await import(pathToFileURL(path).href)) as { default?: unknown }
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    throw new ConnectorError('config', `The connector ${reference} can't be loaded: ${message}.`, {
      code: 'ConnectorBroken',
      hint: manifest
        ? `Its version is ${manifest.version ?? 'not known'}. Install it again, or tell its author.`
        : 'See that its file is an ES module: its name ends with .mts or .mjs, or the package.json beside it has "type": "module".',
      cause: error,
    })
  }
  return checkContract(loaded.default, reference, manifest)
}

const checkContract = (
  value: unknown,
  reference: string,
  manifest: PackageManifest | undefined,
): AnyConnector => {
  const connector = value as Partial<AnyConnector> | null | undefined
  if (typeof connector !== 'object' || connector === null || connector.kind === undefined)
    throw new ConnectorError('config', `${reference} exports no connector as its default.`, {
      code: 'ConnectorBroken',
      hint: 'Its main file has to end in: export default defineSource({ ... })',
    })
  if (connector.specificationVersion !== contractVersion)
    throw new ConnectorError(
      'config',
      `${named(reference, manifest)} is written for version ${String(connector.specificationVersion)} of the connector contract; this penstock runs version ${contractVersion}.`,
      { code: 'ContractVersion', hint: wayOut(reference, connector.specificationVersion) },
    )
  if ((connectorKinds as readonly unknown[]).includes(connector.kind)) return connector as AnyConnector
  throw new ConnectorError(
    'config',
    `${named(reference, manifest)} is of the kind "${String(connector.kind)}", which this penstock does not know.`,
    { code: 'ConnectorBroken', hint: `Kinds: ${connectorKinds.join(', ')}.` },
  )
}

/** `acme-source 2.0.0 (for @penstock/core ^2.1.0)`. */
const named = (reference: string, manifest: PackageManifest | undefined): string => {
  if (!manifest) return reference
  return `${reference} ${manifest.version}${manifest.core === undefined ? '' : ` (for @penstock/core ${manifest.core})`}`
}

const wayOut = (reference: string, version: unknown): string =>
  Number(version) > contractVersion
    ? `Update penstock, or install an older version of ${reference}.`
    : `Update ${reference}: it is older than this penstock.`
