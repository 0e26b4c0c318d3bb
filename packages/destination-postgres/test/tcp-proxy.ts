import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

export interface TcpProxy {
  readonly port: number
  /** Connections that come from now on are reset after so many bytes from the client. */
  cutAfter(bytes: number): void
  close(): Promise<void>
}

/** Stands between a client and a server, and cuts. */
export const startTcpProxy = async (target: {
  readonly host: string
  readonly port: number
}): Promise<TcpProxy> => {
  let limit = Number.POSITIVE_INFINITY
  const open = new Set<Socket>()
  const server = createServer((client) => {
    const upstream = connect(target.port, target.host)
    const end = () => {
      client.resetAndDestroy()
      upstream.resetAndDestroy()
    }
    let left = limit
    for (const socket of [client, upstream]) {
      open.add(socket)
      socket.on('error', end)
      socket.on('close', () => open.delete(socket))
    }
    client.on('data', (chunk: Buffer) => {
      upstream.write(chunk.subarray(0, Math.max(0, left)))
      left -= chunk.length
      if (left < 0) end()
    })
    upstream.pipe(client)
    client.on('end', () => upstream.end())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return Object.freeze({
    port: (server.address() as AddressInfo).port,
    cutAfter: (bytes: number) => {
      limit = bytes
    },
    close: async () => {
      for (const socket of open) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  })
}
