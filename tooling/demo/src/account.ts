import { readFile } from 'node:fs/promises'
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { fromTemporaryCredentials } from '@aws-sdk/credential-providers'
import { fixtureBucket, fixtureObjects, icebergFixture } from '@penstock/iceberg-fixtures'
import { type Aws, type PolicyDocument, startAws } from '@penstock/testkit'
import type { DemoObject } from './data.ts'

export const bucket = 'sales'
export const region = 'eu-central-1'
const extractRole = 'penstock'
const queryRole = 'penstock-queries'
const exportRole = 'penstock-exports'
/** Bucket of a partner, which the exports go to. */
export const partnerBucket = 'partner'
/** A table that Spark wrote: one file for each of 17 months. */
const profilesFixture = 't_month'

/** What `penstock policy --json` prints. */
export interface PrintedPolicies {
  readonly policy: PolicyDocument
  readonly trust: PolicyDocument
}

/** An AWS account of the demo's own: one bucket, who writes to it, and who will read it. */
export interface Account {
  readonly aws: Aws
  /** ARN that the role of the extraction will have. */
  readonly roleArn: string
  /** Key of a user who may do one thing: assume that role. */
  readonly loader: { readonly accessKeyId: string; readonly secretAccessKey: string }
  /** Makes the role of the extraction, with the policies as they were printed and nothing else. */
  createExtractRole(printed: PrintedPolicies): void
  /** ARN that the role of the queries will have. */
  readonly queryRoleArn: string
  /** The same for the role of the queries in place. */
  createQueryRole(printed: PrintedPolicies): void
  /** ARN that the role of the exports will have. */
  readonly exportRoleArn: string
  /** The same for the role of the exports. */
  createExportRole(printed: PrintedPolicies): void
  /** Puts another team's Iceberg table into Glue, as its writer left it in S3: `crm.profiles`. */
  createProfiles(): Promise<void>
  /** Uploads through the producer's role, with the AWS SDK. */
  upload(objects: readonly DemoObject[]): Promise<void>
  /** What was sent so far, apart from what the producer did; `writing`: what changed something outside the partner's bucket. */
  requests(): { s3: number; sts: number; glue: number; faults: number; writing: string[] }
  close(): Promise<void>
}

const producers = ['assumed-role/producer/', 'user/shop']

const mayAssume = (role: string): PolicyDocument => ({
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Action: 'sts:AssumeRole', Resource: role }],
})

export const createAccount = async (): Promise<Account> => {
  const aws = await startAws({ region })
  const { identities, endpoint } = aws
  const arnOf = (role: string) => `arn:aws:iam::${aws.account}:role/${role}`
  for (const name of [bucket, partnerBucket]) aws.s3.createBucket({ name })
  const loader = identities.createUser({
    name: 'loader',
    policies: [extractRole, queryRole, exportRole].map((role) => mayAssume(arnOf(role))),
  })
  const shop = identities.createUser({ name: 'shop', policies: [mayAssume(arnOf('producer'))] })
  const externalId = 'shop-to-lake-1'
  const producer = identities.createRole({
    name: 'producer',
    trustPolicy: trustOf(shop.arn, externalId),
    policies: [
      {
        Version: '2012-10-17',
        Statement: [{ Effect: 'Allow', Action: 's3:PutObject', Resource: `arn:aws:s3:::${bucket}/*` }],
      },
    ],
  })
  const client = new S3Client({
    region,
    endpoint,
    forcePathStyle: true,
    credentials: fromTemporaryCredentials({
      masterCredentials: { accessKeyId: shop.accessKeyId, secretAccessKey: shop.secretAccessKey },
      params: { RoleArn: producer.arn, RoleSessionName: 'shop', ExternalId: externalId },
      clientConfig: { region, endpoint },
    }),
  })
  const createRole = (name: string, { policy, trust }: PrintedPolicies): void => {
    // What a person does who pastes the trust policy: put the own account where the placeholder is.
    const pasted: PolicyDocument = JSON.parse(
      JSON.stringify(trust).replaceAll('<YOUR-ACCOUNT-ID>', aws.account),
    )
    identities.createRole({ name, trustPolicy: pasted, policies: [policy] })
  }
  return {
    aws,
    roleArn: arnOf(extractRole),
    loader: { accessKeyId: loader.accessKeyId, secretAccessKey: loader.secretAccessKey },
    createExtractRole: (printed) => createRole(extractRole, printed),
    queryRoleArn: arnOf(queryRole),
    createQueryRole: (printed) => createRole(queryRole, printed),
    exportRoleArn: arnOf(exportRole),
    createExportRole: (printed) => createRole(exportRole, printed),
    createProfiles: async () => {
      aws.s3.createBucket({ name: fixtureBucket })
      for (const { key, path } of fixtureObjects(profilesFixture))
        await aws.s3.putObject({ bucket: fixtureBucket, key, body: await readFile(path) })
      aws.glue.createDatabase({ name: 'crm', description: 'Who our customers are' })
      const { metadata: metadataLocation } = icebergFixture(profilesFixture)
      aws.glue.createTable({ database: 'crm', name: 'profiles', metadataLocation })
    },
    upload: async (objects) => {
      for (const { key, body } of objects)
        await client.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: body }))
    },
    requests: () => {
      // A refused request has no identity yet, so the extraction's requests are those that are not the producer's.
      const own = aws.log
        .entries()
        .filter(({ principalArn }) => !producers.some((name) => principalArn.includes(name)))
      const toS3 = own.filter(({ service }) => service === 's3')
      return {
        s3: toS3.length,
        sts: own.filter(({ service }) => service === 'sts').length,
        glue: own.filter(({ service }) => service === 'glue' || service === 'iceberg').length,
        faults: own.filter(({ faults }) => faults.length > 0).length,
        writing: toS3
          .filter(
            (entry) => entry.method !== 'GET' && entry.method !== 'HEAD' && entry.bucket !== partnerBucket,
          )
          .map(({ operation }) => operation),
      }
    },
    close: async () => {
      client.destroy()
      await aws.close()
    },
  }
}

const trustOf = (userArn: string, externalId: string): PolicyDocument => ({
  Version: '2012-10-17',
  Statement: [
    {
      Effect: 'Allow',
      Principal: { AWS: userArn },
      Action: 'sts:AssumeRole',
      Condition: { StringEquals: { 'sts:ExternalId': externalId } },
    },
  ],
})
