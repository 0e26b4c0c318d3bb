import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteBucketCommand,
  DeleteObjectCommand,
  GetBucketAclCommand,
  GetBucketLocationCommand,
  GetBucketPolicyCommand,
  GetObjectCommand,
  GetObjectTaggingCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListBucketsCommand,
  ListMultipartUploadsCommand,
  ListObjectsCommand,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
  ListPartsCommand,
  PutBucketPolicyCommand,
  PutObjectCommand,
  PutObjectTaggingCommand,
  S3Client,
  S3ServiceException,
  UploadPartCommand,
} from '@aws-sdk/client-s3'
import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Aws, startAws } from '../aws.ts'
import type { PolicyDocument, PolicyStatement } from '../types.ts'

const bucket = 'lake'
const key = 'in/a.csv'

let aws: Aws
let s3: S3Client
let admin: S3Client

const clientFor = (credentials: { accessKeyId: string; secretAccessKey: string; sessionToken?: string }) =>
  new S3Client({
    endpoint: aws.endpoint,
    region: 'us-east-1',
    forcePathStyle: true,
    credentials,
    maxAttempts: 1,
  })

const document = (...Statement: PolicyStatement[]): PolicyDocument => ({ Version: '2012-10-17', Statement })

/** Everything under a role `worker`, whose policy each test sets. */
beforeAll(async () => {
  aws = await startAws()
  admin = clientFor(aws.root)
  await aws.s3.createBucket({ name: bucket })
  const ana = aws.identities.createUser({ name: 'ana' })
  const role = aws.identities.createRole({
    name: 'worker',
    trustPolicy: document({ Effect: 'Allow', Action: 'sts:AssumeRole', Principal: { AWS: ana.arn } }),
  })
  const sts = new STSClient({ endpoint: aws.endpoint, region: 'us-east-1', credentials: ana })
  const { Credentials } = await sts.send(
    new AssumeRoleCommand({ RoleArn: role.arn, RoleSessionName: 'least-privilege' }),
  )
  s3 = clientFor({
    accessKeyId: Credentials?.AccessKeyId ?? '',
    secretAccessKey: Credentials?.SecretAccessKey ?? '',
    sessionToken: Credentials?.SessionToken ?? '',
  })
  sts.destroy()
})

afterAll(async () => {
  s3?.destroy()
  admin?.destroy()
  await aws?.close()
})

beforeEach(async () => {
  await aws.s3.putObject({ bucket, key, body: 'a,b\n1,2\n' })
  aws.log.clear()
})

const upload = async () => {
  const started = await admin.send(new CreateMultipartUploadCommand({ Bucket: bucket, Key: 'in/big' }))
  return started.UploadId ?? ''
}

const onBucket = `arn:aws:s3:::${bucket}`
const onObjects = `arn:aws:s3:::${bucket}/*`

interface Case {
  name: string
  /** What AWS documents as needed, by action. */
  needs: Record<string, string>
  run: () => Promise<unknown>
}

const at = { Bucket: bucket, Key: key }

const cases: Case[] = [
  { name: 'GetObject', needs: { 's3:GetObject': onObjects }, run: () => s3.send(new GetObjectCommand(at)) },
  { name: 'HeadObject', needs: { 's3:GetObject': onObjects }, run: () => s3.send(new HeadObjectCommand(at)) },
  {
    name: 'ListObjectsV2',
    needs: { 's3:ListBucket': onBucket },
    run: () => s3.send(new ListObjectsV2Command({ Bucket: bucket })),
  },
  {
    name: 'ListObjects',
    needs: { 's3:ListBucket': onBucket },
    run: () => s3.send(new ListObjectsCommand({ Bucket: bucket })),
  },
  {
    name: 'HeadBucket',
    needs: { 's3:ListBucket': onBucket },
    run: () => s3.send(new HeadBucketCommand({ Bucket: bucket })),
  },
  {
    name: 'GetBucketLocation',
    needs: { 's3:GetBucketLocation': onBucket },
    run: () => s3.send(new GetBucketLocationCommand({ Bucket: bucket })),
  },
  {
    name: 'GetBucketAcl',
    needs: { 's3:GetBucketAcl': onBucket },
    run: () => s3.send(new GetBucketAclCommand({ Bucket: bucket })),
  },
  {
    name: 'ListBuckets',
    needs: { 's3:ListAllMyBuckets': '*' },
    run: () => s3.send(new ListBucketsCommand({})),
  },
  {
    name: 'PutObject',
    needs: { 's3:PutObject': onObjects },
    run: () => s3.send(new PutObjectCommand({ ...at, Body: 'x' })),
  },
  {
    name: 'DeleteObject',
    needs: { 's3:DeleteObject': onObjects },
    run: () => s3.send(new DeleteObjectCommand(at)),
  },
  {
    name: 'GetObject of a version',
    needs: { 's3:GetObjectVersion': onObjects },
    run: () => s3.send(new GetObjectCommand({ ...at, VersionId: 'null' })),
  },
  {
    name: 'DeleteObject of a version',
    needs: { 's3:DeleteObjectVersion': onObjects },
    run: () => s3.send(new DeleteObjectCommand({ ...at, VersionId: 'null' })),
  },
  {
    name: 'ListObjectVersions',
    needs: { 's3:ListBucketVersions': onBucket },
    run: () => s3.send(new ListObjectVersionsCommand({ Bucket: bucket })),
  },
  {
    name: 'CopyObject',
    needs: { 's3:GetObject': onObjects, 's3:PutObject': onObjects },
    run: () =>
      s3.send(new CopyObjectCommand({ Bucket: bucket, Key: 'in/copy', CopySource: `${bucket}/${key}` })),
  },
  {
    name: 'multipart upload',
    needs: { 's3:PutObject': onObjects },
    run: async () => {
      const big = { Bucket: bucket, Key: 'in/big' }
      const { UploadId = '' } = await s3.send(new CreateMultipartUploadCommand(big))
      const { ETag = '' } = await s3.send(
        new UploadPartCommand({ ...big, UploadId, PartNumber: 1, Body: 'x' }),
      )
      const MultipartUpload = { Parts: [{ ETag, PartNumber: 1 }] }
      await s3.send(new CompleteMultipartUploadCommand({ ...big, UploadId, MultipartUpload }))
    },
  },
  {
    name: 'UploadPart',
    needs: { 's3:PutObject': onObjects },
    run: async () =>
      s3.send(
        new UploadPartCommand({
          Bucket: bucket,
          Key: 'in/big',
          UploadId: await upload(),
          PartNumber: 1,
          Body: 'x',
        }),
      ),
  },
  {
    name: 'AbortMultipartUpload',
    needs: { 's3:AbortMultipartUpload': onObjects },
    run: async () =>
      s3.send(new AbortMultipartUploadCommand({ Bucket: bucket, Key: 'in/big', UploadId: await upload() })),
  },
  {
    name: 'ListParts',
    needs: { 's3:ListMultipartUploadParts': onObjects },
    run: async () =>
      s3.send(new ListPartsCommand({ Bucket: bucket, Key: 'in/big', UploadId: await upload() })),
  },
  {
    name: 'ListMultipartUploads',
    needs: { 's3:ListBucketMultipartUploads': onBucket },
    run: () => s3.send(new ListMultipartUploadsCommand({ Bucket: bucket })),
  },
  {
    name: 'GetObjectTagging',
    needs: { 's3:GetObjectTagging': onObjects },
    run: () => s3.send(new GetObjectTaggingCommand(at)),
  },
  {
    name: 'PutObjectTagging',
    needs: { 's3:PutObjectTagging': onObjects },
    run: () =>
      s3.send(new PutObjectTaggingCommand({ ...at, Tagging: { TagSet: [{ Key: 'a', Value: 'b' }] } })),
  },
  {
    name: 'PutObject with tags',
    needs: { 's3:PutObject': onObjects, 's3:PutObjectTagging': onObjects },
    run: () => s3.send(new PutObjectCommand({ ...at, Body: 'x', Tagging: 'a=b' })),
  },
  {
    name: 'PutBucketPolicy and GetBucketPolicy',
    needs: { 's3:PutBucketPolicy': onBucket, 's3:GetBucketPolicy': onBucket },
    run: async () => {
      const Policy = JSON.stringify(
        document({
          Effect: 'Deny',
          Action: 's3:GetObject',
          Principal: { AWS: '444455556666' },
          Resource: onObjects,
        }),
      )
      await s3.send(new PutBucketPolicyCommand({ Bucket: bucket, Policy }))
      await s3.send(new GetBucketPolicyCommand({ Bucket: bucket }))
    },
  },
  {
    name: 'CreateBucket and DeleteBucket',
    needs: { 's3:CreateBucket': 'arn:aws:s3:::new-one', 's3:DeleteBucket': 'arn:aws:s3:::new-one' },
    run: async () => {
      await s3.send(new CreateBucketCommand({ Bucket: 'new-one' }))
      await s3.send(new DeleteBucketCommand({ Bucket: 'new-one' }))
    },
  },
]

const grants = (needs: Record<string, string>): PolicyStatement[] =>
  Object.entries(needs).map(([Action, Resource]) => ({ Effect: 'Allow', Action, Resource }))

const refusal = async (run: () => Promise<unknown>): Promise<S3ServiceException> => {
  const error: unknown = await run().then(
    () => new Error('was allowed'),
    (thrown: unknown) => thrown,
  )
  if (!(error instanceof S3ServiceException)) throw error
  return error
}

const evaluatedByRole = () =>
  aws.log
    .entries()
    .filter(({ principalArn }) => principalArn.includes(':assumed-role/worker/'))
    .flatMap(({ actions }) => actions)

describe.each(cases)('$name', ({ needs, run }) => {
  test('works under exactly the documented permissions, and evaluates no others', async () => {
    aws.identities.putRolePolicy('worker', document(...grants(needs)))
    await run()
    const evaluated = evaluatedByRole()
    expect(new Set(evaluated.filter(({ allowed }) => allowed).map(({ action }) => action))).toEqual(
      new Set(Object.keys(needs)),
    )
  })

  test.each(Object.keys(needs))('without %s, it alone missing, it is refused', async (missing) => {
    aws.identities.putRolePolicy(
      'worker',
      document(
        { Effect: 'Allow', Action: '*', Resource: '*' },
        { Effect: 'Deny', Action: missing, Resource: '*' },
      ),
    )
    const error = await refusal(run)
    if (aws.s3.bucketNames().includes('new-one'))
      await admin.send(new DeleteBucketCommand({ Bucket: 'new-one' }))
    expect(error.$metadata.httpStatusCode).toBe(403)
    expect(evaluatedByRole()).toContainEqual(expect.objectContaining({ action: missing, allowed: false }))
    // HEAD replies have no body to say more in.
    if (error.name === 'AccessDenied') {
      expect(error.message).toContain(`is not authorized to perform: ${missing} on resource: "`)
      expect(error.message).toContain('with an explicit deny in an identity-based policy')
    }
  })

  test('without any policy it is refused', async () => {
    aws.identities.deleteRolePolicy('worker')
    const error = await refusal(run)
    expect(error.$metadata.httpStatusCode).toBe(403)
    if (error.name === 'AccessDenied')
      expect(error.message).toContain('because no identity-based policy allows the')
  })
})
