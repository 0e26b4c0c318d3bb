import { ConnectorError } from '@penstock/core'

const readingOperation = /^(Get|Head|List)[A-Z]/
const readingMethod = /^(GET|HEAD)$/

/**
 * Throws when a request of a read-only connection is anything but Get*, Head* or List* by GET or HEAD. Stands in
 * front of the sockets, so that nothing gets past it.
 */
export const assertReadOnly = (request: { readonly operation?: string; readonly method?: string }): void => {
  const { operation, method } = request
  const refused =
    (operation !== undefined && !readingOperation.test(operation)) ||
    (method !== undefined && !readingMethod.test(method))
  if (!refused) return
  throw new ConnectorError(
    'permission',
    `This connection is read-only: ${operation ?? method} was not sent.`,
    {
      code: 'ReadOnlyConnection',
      hint: 'A source only reads. To write, use a destination or an action.',
    },
  )
}
