/**
 * A path without its scheme, as a key: engines spell one object `s3://`, `s3a://`, `s3n://` or with no scheme at all.
 */
export const withoutScheme = (path: string): string =>
  path.replace(/^[a-z][a-z0-9+.-]*:\/\//i, '').replace(/^\/+/, '')

/** The path with the scheme of another one. */
export const respell = (path: string, like: string): string =>
  `${/^[a-z][a-z0-9+.-]*:\/\//i.exec(like)?.[0] ?? ''}${withoutScheme(path)}`
