import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import type { PackedPackage } from './pack.ts'

export interface Registry {
  readonly url: string
  close(): Promise<void>
}

/** What a client sends to publish one version: its manifest, and the tarball in base64. */
interface Publication {
  readonly name: string
  readonly versions: Readonly<Record<string, Readonly<Record<string, unknown>>>>
  readonly _attachments: Readonly<Record<string, { readonly data: string }>>
}

/**
 * A package registry on loopback that has the packed packages and what is published to it; all others it leaves to the
 * registry that npm is set up with. So `npm install penstock` and `npm create @penstock/connector` do what they do after
 * a release.
 */
export const startRegistry = async (
  packages: readonly PackedPackage[],
  upstream: string,
): Promise<Registry> => {
  const tarballs = new Map<string, Buffer>()
  const documents = new Map<string, (url: string) => unknown>()
  const add = (name: string, version: string, manifest: Readonly<Record<string, unknown>>, bytes: Buffer) => {
    const path = `/${name}/-/${version}.tgz`
    tarballs.set(path, bytes)
    const hash = (algorithm: string) => createHash(algorithm).update(bytes)
    documents.set(name, (url) => ({
      name,
      'dist-tags': { latest: version },
      versions: {
        [version]: {
          ...manifest,
          dist: {
            tarball: url + path,
            shasum: hash('sha1').digest('hex'),
            integrity: `sha512-${hash('sha512').digest('base64')}`,
          },
        },
      },
    }))
  }
  for (const { name, version, tarball, manifest } of packages)
    add(name, version, manifest, await readFile(tarball))
  const publish = async (request: IncomingMessage, response: ServerResponse) => {
    const { name, versions, _attachments } = JSON.parse(await text(request)) as Publication
    const [version = '', manifest = {}] = Object.entries(versions)[0] ?? []
    const [{ data } = { data: '' }] = Object.values(_attachments)
    add(name, version, manifest, Buffer.from(data, 'base64'))
    response.writeHead(201, { 'content-type': 'application/json' }).end('{"ok":true}')
  }

  const server = createServer((request, response) => {
    const path = decodeURIComponent(new URL(request.url ?? '/', 'http://registry').pathname)
    const document = documents.get(path.slice(1))
    const tarball = tarballs.get(path)
    if (request.method === 'PUT') void publish(request, response)
    else if (document)
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(document(url)))
    else if (tarball) response.writeHead(200, { 'content-type': 'application/octet-stream' }).end(tarball)
    // Nothing of this scope comes from elsewhere, also where a release asks for what is not published yet.
    else if (/^\/(@penstock\/|penstock$)/.test(path)) response.writeHead(404).end('{}')
    else response.writeHead(307, { location: upstream.replace(/\/$/, '') + request.url }).end()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return Object.freeze({
    url,
    close: () => {
      server.closeAllConnections()
      return new Promise<void>((resolve) => server.close(() => resolve()))
    },
  })
}
