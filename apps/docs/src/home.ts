/** Front matter of the first page. */
export const home = {
  layout: 'home',
  hero: {
    name: 'Penstock',
    text: 'Between object storage and tables',
    tagline:
      'Objects in S3 become tables, tables become files in S3, and SQL runs over tables that stay where they are.',
    actions: [
      { theme: 'brand', text: 'Tutorial', link: '/tutorial' },
      { theme: 'alt', text: 'Commands', link: '/cli' },
    ],
  },
  features: [
    {
      title: 'Extract',
      details:
        'CSV, JSON and Parquet become tables in DuckDB. Full, delta and merge loads, exactly once, with types that are proved on every value.',
      link: '/source-s3',
    },
    {
      title: 'Export',
      details:
        'Tables and queries become files: compressed, encrypted, split, named by templates, with a manifest, on a schedule.',
      link: '/export',
    },
    {
      title: 'Query in place',
      details:
        'SQL over Iceberg and Hive tables in S3, catalogued in AWS Glue. Only the bytes that a query needs are moved.',
      link: '/zero-copy',
    },
    {
      title: 'Actions',
      details:
        'Upload, download, list, copy, sync, any signed call. By command, in a workflow, from a program.',
      link: '/actions-s3',
    },
    {
      title: 'Pipelines',
      details: 'Extract, SQL, export and actions as steps, with conditions, retries, schedules and alerts.',
      link: '/pipelines',
    },
    {
      title: 'Your own connector',
      details: 'One file with a zod schema. Conformance suites and an embedded AWS test it.',
      link: '/writing-a-connector',
    },
  ],
}
