/** A page by its path in the site, without extension. */
export interface Page {
  readonly text: string
  readonly link: string
}

export interface Section {
  readonly text: string
  readonly items: readonly Page[]
}

/** The written pages, as the sidebar shows them. The reference follows, made from commands and schemas. */
export const guides: readonly Section[] = [
  { text: 'Start', items: [{ text: 'Tutorial', link: '/tutorial' }] },
  {
    text: 'How to',
    items: [
      { text: 'Load objects from S3', link: '/source-s3' },
      { text: 'Export tables and queries', link: '/export' },
      { text: 'Write files to S3', link: '/destination-s3' },
      { text: 'Write tables to PostgreSQL', link: '/destination-postgres' },
      { text: 'Query tables in place', link: '/zero-copy' },
      { text: 'Work on objects', link: '/actions-s3' },
      { text: 'Run pipelines on a schedule', link: '/pipelines' },
      { text: 'Use the web view', link: '/web-view' },
      { text: 'Use it as a library', link: '/library' },
      { text: 'Write a connector', link: '/writing-a-connector' },
    ],
  },
  {
    text: 'How it works',
    items: [
      { text: 'Exactly once', link: '/exactly-once' },
      { text: 'Tables in place', link: '/how-zero-copy-works' },
      { text: 'Contracts', link: '/contracts' },
    ],
  },
]

/** The written page that explains the command line as a whole; a page for each command goes below it. */
export const commandLine: Page = { text: 'Command line', link: '/cli' }
