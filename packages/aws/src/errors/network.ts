import { ConnectorError } from '@penstock/core'
import { safeCause } from './safe-cause.ts'

interface NetworkProblem {
  readonly codes: RegExp
  readonly kind?: 'config' | 'network'
  readonly message: (host: string) => string
  readonly hint: string
}

const proxyHint = 'If this machine reaches the internet through a proxy, set HTTPS_PROXY (and NO_PROXY).'

const problems: readonly NetworkProblem[] = [
  {
    codes: /^(ENOTFOUND|EAI_AGAIN|EAI_NODATA|EAI_NONAME)$/,
    message: (host) => `The host name ${host} can't be resolved.`,
    hint: `Check region, endpoint and the network connection. ${proxyHint}`,
  },
  {
    codes: /^ECONNREFUSED$/,
    message: (host) => `${host} refused the connection.`,
    hint: `Check endpoint and port, and that the server runs. ${proxyHint}`,
  },
  {
    codes: /^(CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|ERR_TLS_CERT|HOSTNAME_MISMATCH)/,
    kind: 'config',
    message: (host) => `The TLS certificate of ${host} can't be trusted.`,
    hint: 'Check endpoint. For a store or proxy with a certificate authority of its own, set NODE_EXTRA_CA_CERTS to its file.',
  },
  {
    codes: /^(EPROTO|ERR_SSL_|ERR_TLS_)/,
    kind: 'config',
    message: (host) => `${host} doesn't speak TLS as expected.`,
    hint: 'Check whether endpoint begins with https:// or http:// and has the right port.',
  },
  {
    codes: /^(EHOSTUNREACH|ENETUNREACH|EHOSTDOWN|ENETDOWN|EADDRNOTAVAIL)$/,
    message: (host) => `${host} can't be reached.`,
    hint: `Check the network connection, VPN and firewall. ${proxyHint}`,
  },
  {
    codes: /^(UND_ERR_CONNECT_TIMEOUT|ETIMEDOUT)$/,
    message: (host) => `${host} didn't accept a connection in time.`,
    hint: `Check endpoint, VPN and firewall. ${proxyHint}`,
  },
  {
    codes: /^(UND_ERR_HEADERS_TIMEOUT|UND_ERR_BODY_TIMEOUT|TimeoutError)$/,
    message: (host) => `${host} sent nothing for too long.`,
    hint: 'Try again; if it stays so, lower the concurrency or look at the network.',
  },
  {
    codes: /^(UND_ERR_PRX_TLS|UND_ERR_ABORTED|UND_ERR_PROXY)/,
    message: (host) => `The proxy broke off the way to ${host}.`,
    hint: 'Check HTTPS_PROXY, HTTP_PROXY and NO_PROXY.',
  },
  {
    codes:
      /^(ECONNRESET|EPIPE|UND_ERR_SOCKET|UND_ERR_RES_CONTENT_LENGTH_MISMATCH|HPE_|ECONNABORTED|UND_ERR_RESPONSE|TruncatedBody)/,
    message: (host) => `${host} broke off the connection.`,
    hint: 'Try again; if it stays so, lower the concurrency or look at the network.',
  },
]

const codesOf = (error: unknown, depth = 0): string[] => {
  if (!(error instanceof Error) || depth > 4) return []
  const { code } = error as { code?: unknown }
  const nested = error instanceof AggregateError ? error.errors : [error.cause]
  const own = typeof code === 'string' ? code : /^HTTPParserError$/.test(error.name) ? 'HPE_' : error.name
  return [...nested.flatMap((inner) => codesOf(inner, depth + 1)), own]
}

/** The ConnectorError of a connection that failed or broke, or undefined where the error is of another sort. */
export const translateNetworkError = (error: unknown, host: string): ConnectorError | undefined => {
  if (error instanceof Error && /proxy response/i.test(error.message))
    return new ConnectorError('network', `The proxy refused the way to ${host}.`, {
      code: 'ProxyRefused',
      hint: 'Check HTTPS_PROXY, HTTP_PROXY and NO_PROXY, and the credentials in them.',
      cause: safeCause(error),
    })
  for (const code of codesOf(error)) {
    const problem = problems.find((candidate) => candidate.codes.test(code))
    if (problem)
      return new ConnectorError(problem.kind ?? 'network', problem.message(host), {
        code,
        hint: problem.hint,
        cause: safeCause(error),
      })
  }
  return undefined
}
