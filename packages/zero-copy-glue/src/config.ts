import { type AwsAuthentication, checkEndpointSecurity, s3ConnectionFields } from '@penstock/aws'
import { type ConnectorContext, secret } from '@penstock/core'
import { z } from 'zod'

const { region, endpoint, forcePathStyle, allowInsecure, maxAttempts, stsEndpoint } = s3ConnectionFields

/** How a project file refers to an environment variable. */
const fromEnvironment = (name: string): string => `\${env:${name}}`

const namespace = z.union([z.string().min(1), z.array(z.string().min(1)).min(1)])

const oauth = z.strictObject({
  clientId: z.string().min(1).meta({ title: 'Client id', description: 'Id of the OAuth 2 client' }),
  clientSecret: secret({ error: 'The client secret is missing: set oauth.clientSecret' }).meta({
    title: 'Client secret',
    description: 'Secret that belongs to the client id',
    examples: [fromEnvironment('CATALOG_CLIENT_SECRET')],
    secret: true,
  }),
  scope: z
    .string()
    .min(1)
    .optional()
    .meta({
      title: 'Scope',
      description: 'Scope that tokens are asked for with',
      examples: ['PRINCIPAL_ROLE:ALL'],
    }),
  tokenEndpoint: z
    .string()
    .optional()
    .meta({
      title: 'Token endpoint',
      description: 'URL that gives tokens. Default: v1/oauth/tokens of the catalog',
      examples: ['https://login.example.com/oauth2/token'],
    }),
})

const catalogKinds = ['glue-rest', 'glue-api', 's3-tables', 'rest'] as const

/** Fields of a connection. */
export const config = z
  .strictObject({
    catalog: z
      .enum(catalogKinds)
      .default('glue-rest')
      .meta({
        title: 'Catalog',
        description:
          'glue-rest: the Iceberg REST endpoint of AWS Glue. glue-api: the API of Glue. s3-tables: a table bucket. rest: any Iceberg REST catalog',
        examples: ['glue-rest'],
      }),
    region: region.meta({
      title: 'Region',
      description: 'AWS region of the catalog and of the buckets',
      examples: ['eu-central-1'],
    }),
    warehouse: z
      .string()
      .min(1)
      .optional()
      .meta({
        title: 'Warehouse',
        description:
          'Which catalog: of Glue the account id (111122223333), one below it (cat1/cat2, 111122223333:cat1/cat2) or nothing for the default; the ARN of a table bucket; the name of a warehouse',
        examples: ['111122223333', 'arn:aws:s3tables:eu-central-1:111122223333:bucket/daily'],
      }),
    catalogEndpoint: z
      .string()
      .optional()
      .meta({
        title: 'Catalog endpoint',
        description: 'URL of the catalog, what comes before /v1; leave it out for AWS',
        examples: [
          'https://catalog.example.com/api/catalog',
          'https://vpce-1.glue.eu-central-1.vpce.amazonaws.com/iceberg',
        ],
      }),
    endpoint: endpoint.meta({
      title: 'S3 endpoint',
      description: 'URL of an S3-compatible store that holds the files; leave it out for AWS',
      examples: ['https://minio.example.com:9000'],
    }),
    s3Region: region.optional().meta({
      title: 'Region of the files',
      description: 'Region of the buckets, where it is not that of the catalog',
      examples: ['eu-west-1'],
    }),
    forcePathStyle,
    stsEndpoint,
    allowInsecure,
    maxAttempts,
    token: secret()
      .optional()
      .meta({
        title: 'Bearer token',
        description: 'Token for the catalog rest',
        examples: [fromEnvironment('CATALOG_TOKEN')],
        secret: true,
      }),
    oauth: oauth
      .optional()
      .meta({ title: 'OAuth 2 client', description: 'Client credentials for the catalog rest' }),
    vendedCredentials: z
      .boolean()
      .default(false)
      .meta({
        title: 'Vended credentials',
        description:
          'Read files with credentials that the catalog hands out with each table, instead of those of the connection',
        examples: [false],
      }),
    lakeFormation: z
      .enum(['refuse', 'direct'])
      .default('refuse')
      .meta({
        title: 'Lake Formation',
        description:
          'refuse: tables that are registered with Lake Formation, whose column and row filters nobody would apply here, are not read. direct: they are read with the own rights on S3; only where you know that there are no filters',
        examples: ['refuse'],
      }),
    shares: z
      .array(
        z.strictObject({
          namespace: namespace.meta({ description: 'Namespace, its levels as a list or joined with dots' }),
          tables: z
            .array(z.string().min(1))
            .min(1)
            .optional()
            .meta({ description: 'Tables of it; all when absent' }),
        }),
      )
      .min(1)
      .optional()
      .meta({
        title: 'Shares',
        description: 'Namespaces and tables that the connection is limited to; all when absent',
        examples: [[{ namespace: 'sales', tables: ['orders'] }]],
      }),
    dataLocations: z
      .array(z.string().regex(/^s3[an]?:\/\/[^/]+(\/.*)?$/, 'A location looks like s3://bucket/prefix/'))
      .optional()
      .meta({
        title: 'Locations of the files',
        description: 'Where the files of the tables are: narrows the policy that is printed',
        examples: [['s3://lake/sales/']],
      }),
  })
  .superRefine(checkEndpointSecurity)
  .superRefine((value, context) => {
    const issue = (field: string, message: string) =>
      context.addIssue({ code: 'custom', path: [field], message })
    if (
      value.catalog === 's3-tables' &&
      !/^arn:aws[\w-]*:s3tables:[^:]+:\d{12}:bucket\/.+$/.test(value.warehouse ?? '')
    )
      issue(
        'warehouse',
        'Catalog s3-tables needs the ARN of a table bucket: arn:aws:s3tables:REGION:ACCOUNT:bucket/NAME',
      )
    if (value.catalog === 'rest' && value.catalogEndpoint === undefined)
      issue('catalogEndpoint', 'Catalog rest needs its URL')
    if (value.catalog !== 'rest' && (value.token || value.oauth))
      issue(
        value.token ? 'token' : 'oauth',
        'Only catalog rest takes it: catalogs of AWS are signed with the auth method',
      )
    if (value.token && value.oauth) issue('oauth', 'Either token or oauth, not both')
  })

export type ZeroCopyConfig = z.output<typeof config>
export type ZeroCopyContext = ConnectorContext<ZeroCopyConfig, AwsAuthentication>

/** Whether Glue's API stands behind the catalog. */
export const isGlue = ({ catalog }: Pick<ZeroCopyConfig, 'catalog'>): boolean =>
  catalog === 'glue-rest' || catalog === 'glue-api'

/** Levels of a namespace. Glue and S3 Tables have one, which may hold a dot. */
export const levelsOf = (
  { catalog }: Pick<ZeroCopyConfig, 'catalog'>,
  name: string | readonly string[],
): readonly string[] => (typeof name !== 'string' ? name : catalog === 'rest' ? name.split('.') : [name])
