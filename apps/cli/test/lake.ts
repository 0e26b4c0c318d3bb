// biome-ignore-all lint/suspicious/noTemplateCurlyInString: that is how references are written
import { type Aws, startAws } from '@penstock/testkit'
import { sampleBucket, sampleObjects } from '../src/sample/sample.ts'
import { createTestProject, type TestProject } from './project.ts'

/** An embedded S3 with the sample in it, and a project with a connection to it. */
export interface TestLake {
  readonly aws: Aws
  readonly project: TestProject
  /** What the environment has to hold for the connection. */
  readonly env: Readonly<Record<string, string>>
  put(key: string, body: string): Promise<void>
  close(): Promise<void>
}

const bucket = sampleBucket

export const startLake = async (pipelines = ''): Promise<TestLake> => {
  const aws = await startAws()
  aws.s3.createBucket({ name: bucket })
  for (const { key, body } of sampleObjects()) await aws.s3.putObject({ bucket, key, body })
  const project = await createTestProject(`connections:
  lake:
    connector: source-s3
    region: us-east-1
    bucket: ${bucket}
    endpoint: ${aws.endpoint}
    auth:
      method: access-key
      accessKeyId: \${env:LAKE_KEY_ID}
      secretAccessKey: \${env:LAKE_SECRET}
${pipelines}`)
  return {
    aws,
    project,
    env: { LAKE_KEY_ID: aws.root.accessKeyId, LAKE_SECRET: aws.root.secretAccessKey },
    put: async (key, body) => {
      await aws.s3.putObject({ bucket, key, body })
    },
    close: async () => {
      await aws.close()
      await project.remove()
    },
  }
}
