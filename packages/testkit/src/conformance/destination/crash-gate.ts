import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/** Stands between a connector and its service, and makes the connector's machine vanish at a chosen step. */
export interface CrashGate {
  /** Base URL for the client. */
  readonly url: string
  /** Messages of the client since the gate was armed: pieces of a connection as they came. */
  messages(): number
  /**
   * Everything ends with the message of that number (from 1): it is the last that is delivered, or the first that is
   * not. No answer comes after it, and no connection.
   */
  arm(crash: Crash): void
  disarm(): void
  close(): Promise<void>
}

export interface Crash {
  readonly at: number
  readonly delivered: boolean
  readonly onCrash: () => void
}

/** `target`: `http://HOST:PORT/...` or `tcp://HOST:PORT`. What is sent passes as it is, whatever its protocol. */
export const startCrashGate = async (target: string): Promise<CrashGate> => {
  const { protocol, hostname, port, pathname } = new URL(target)
  const clients = new Set<Socket>()
  let crash: Crash | undefined
  let count = 0
  let crashed = false

  const server = createServer((client) => {
    if (crashed) return void client.resetAndDestroy()
    const upstream = connect(Number(port), hostname)
    clients.add(client)
    client.on('close', () => clients.delete(client))
    // The service sees the end of a connection, not a reset: that could take back what has just been delivered.
    for (const socket of [client, upstream]) socket.on('error', () => upstream.end())
    client.on('close', () => upstream.end())
    client.on('data', (message: Buffer) => {
      if (crashed) return
      count++
      const last = crash !== undefined && count >= crash.at
      if (!last || crash?.delivered) upstream.write(message)
      if (last) end()
    })
    upstream.on('data', (answer) => void (crashed || client.write(answer)))
    upstream.on('end', () => client.end())
  })
  const end = () => {
    crashed = true
    for (const client of clients) client.resetAndDestroy()
    crash?.onCrash()
  }
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address() as AddressInfo
  const set = (next: Crash | undefined) => {
    for (const client of clients) client.destroy()
    crash = next
    count = 0
    crashed = false
  }
  return Object.freeze({
    url: `${protocol}//127.0.0.1:${address.port}${pathname.replace(/\/$/, '')}`,
    messages: () => count,
    arm: set,
    disarm: () => set(undefined),
    close: () => {
      for (const client of clients) client.destroy()
      return new Promise<void>((resolve) => server.close(() => resolve()))
    },
  })
}
