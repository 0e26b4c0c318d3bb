import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { PackedPackage } from './pack.ts'

export interface Registry {
  readonly url: string
  close(): Promise<void>
}

/**
 * A package registry on loopback that has the packed packages; all others it leaves to the registry that npm is set up
 * with. So `npm install penstock` and `npm create @penstock/connector` do what they do after a release.
 */
export const startRegistry = async (
  packages: readonly PackedPackage[],
  upstream: string,
): Promise<Registry> => {
  const tarballs = new Map<string, Buffer>()
  const documents = new Map<string, (url: string) => unknown>()
  for (const { name, version, tarball, manifest } of packages) {
    const bytes = await readFile(tarball)
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

  const server = createServer((request, response) => {
    const path = decodeURIComponent(new URL(request.url ?? '/', 'http://registry').pathname)
    const document = documents.get(path.slice(1))
    const tarball = tarballs.get(path)
    if (document)
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(document(url)))
    else if (tarball) response.writeHead(200, { 'content-type': 'application/octet-stream' }).end(tarball)
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
