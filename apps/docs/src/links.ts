const repository = 'https://github.com/penstock/penstock/blob/main'

/** Links of a page of `docs/` to other files of the repository, as they have to be on the site. */
export const atHome = (markdown: string): string =>
  markdown.replace(/\]\(\.\.\/([^)\s]+)\)/g, (_, path: string) => `](${repository}/${path})`)
