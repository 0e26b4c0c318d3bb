import { ConnectorError } from '@penstock/core'

const special = /[.+^${}()|[\]\\]/g

/** `*` and `?` match within a folder, `**` across folders; a pattern without a slash matches names in any folder. */
const toRegex = (pattern: string): RegExp => {
  if (pattern === '') throw new ConnectorError('config', 'A pattern is empty.', { code: 'InvalidPattern' })
  const anywhere = pattern.includes('/') ? '' : '(?:.*/)?'
  const body = pattern
    .replace(special, '\\$&')
    .replace(/\*\*\/|\*\*|\*|\?/g, (wildcard) =>
      wildcard === '**/' ? '(?:.*/)?' : wildcard === '**' ? '.*' : wildcard === '*' ? '[^/]*' : '[^/]',
    )
  return new RegExp(`^${anywhere}${body}$`, 'su')
}

/** Which keys a sync is about: those that an include matches (all, without one), but for those of an exclude. */
export const keyFilter = (
  include: readonly string[] = [],
  exclude: readonly string[] = [],
): ((key: string) => boolean) => {
  const wanted = include.map(toRegex)
  const unwanted = exclude.map(toRegex)
  return (key) =>
    (wanted.length === 0 || wanted.some((pattern) => pattern.test(key))) &&
    !unwanted.some((pattern) => pattern.test(key))
}
