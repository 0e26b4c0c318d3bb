import type { ErrorKind } from '@penstock/core'

/**
 * Exit code of a command by the kind of its error. 2 is also what a wrong flag gives; 130 is what shells expect
 * after Ctrl-C. The table stands in docs/cli.md; the numbers are part of the command line's contract.
 */
export const exitCodes: Readonly<Record<ErrorKind, number>> = Object.freeze({
  internal: 1,
  config: 2,
  auth: 3,
  permission: 4,
  'not-found': 5,
  conflict: 6,
  data: 7,
  network: 8,
  throttled: 9,
  resource: 10,
  cancelled: 130,
})
