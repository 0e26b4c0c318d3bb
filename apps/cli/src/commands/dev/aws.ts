import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { BaseCommand, countOf, Flags, toJson } from '@penstock/command-kit'
import { ConnectorError } from '@penstock/core'
import type { Aws as EmbeddedAws } from '@penstock/testkit'
import { addSampleTables, sampleBucket, sampleObjects } from '../../sample/sample.ts'

/** Runs the embedded AWS. */
export class Aws extends BaseCommand {
  static override summary = 'Run an S3, STS and Glue of your own on this machine, to try things out.'
  static override description =
    'Serves S3, STS, Glue and Iceberg REST catalogs on loopback until it is stopped, with signatures and IAM policies checked as AWS does. Prints endpoint and credentials; any S3 client can use it. In memory, or with --data in a folder. A seed file (JSON) can hold buckets, objects, users, roles, databases and tables.'
  static override examples = [
    { description: 'With some data to play with', command: '<%= config.bin %> dev aws --sample' },
    {
      description: 'On a fixed port, keeping its data',
      command: '<%= config.bin %> dev aws --port 9000 --data ./s3',
    },
  ]
  static override flags = {
    port: Flags.string({ description: 'Port (default: a free one).', helpValue: 'N' }),
    data: Flags.string({ description: 'Folder that keeps buckets, objects and catalogs.', helpValue: 'DIR' }),
    latency: Flags.string({ description: 'Delay of every request.', helpValue: 'MS' }),
    seed: Flags.string({ description: 'File with what it holds at the start.', helpValue: 'FILE' }),
    sample: Flags.boolean({
      description: `Make a bucket "${sampleBucket}" with customers, orders and events, and tables of them in Glue.`,
    }),
    region: Flags.string({
      description: 'Region of new buckets.',
      helpValue: 'REGION',
      default: 'us-east-1',
    }),
  }

  async run(): Promise<void> {
    const { flags } = await this.parse(Aws)
    const port = wholeNumber('port', flags.port, 65_535)
    const latencyMs = wholeNumber('latency', flags.latency, 3_600_000)
    const { startAws, seedFrom } = await import('@penstock/testkit')
    const aws = await startAws({
      region: flags.region,
      ...(port === undefined ? {} : { port }),
      ...(latencyMs === undefined ? {} : { latencyMs }),
      ...(flags.data === undefined ? {} : { data: flags.data }),
    }).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EADDRINUSE') throw error
      throw new ConnectorError('conflict', `Port ${port} is taken.`, {
        code: error.code,
        hint: 'Choose another --port.',
      })
    })
    try {
      if (flags.seed !== undefined) await seedFrom(aws, flags.seed).catch(wrongSeed)
      const hasTables = flags.seed !== undefined && (await namesTables(flags.seed))
      const objects = flags.sample ? await seed(aws) : undefined
      this.#tell(aws, flags.region, objects, hasTables)
      // Ctrl-C is the way to end this command, so it is no failure.
      if (!this.signal.aborted) await once(this.signal, 'abort')
    } finally {
      await aws.close()
    }
  }

  #tell(aws: EmbeddedAws, region: string, objects: number | undefined, hasTables: boolean): void {
    const variables = {
      AWS_ENDPOINT_URL: aws.endpoint,
      AWS_REGION: region,
      AWS_ACCESS_KEY_ID: aws.root.accessKeyId,
      AWS_SECRET_ACCESS_KEY: aws.root.secretAccessKey,
    }
    if (this.jsonEnabled()) {
      const ready = {
        endpoint: aws.endpoint,
        port: aws.port,
        region,
        account: aws.account,
        environment: variables,
      }
      process.stdout.write(
        `${toJson(objects === undefined ? ready : { ...ready, bucket: sampleBucket }, 0)}\n`,
      )
      return
    }
    const { bold } = this.outStyle
    this.print(`${bold('S3, STS and Glue')} at ${aws.endpoint}, account ${aws.account}. Ctrl-C ends it.`)
    this.print()
    this.print('In another terminal:')
    this.print()
    for (const [name, value] of Object.entries(variables)) this.print(`  export ${name}=${value}`)
    this.print()
    const { bin } = this.config
    if (hasTables && objects === undefined) {
      this.print('It has the tables of the seed. For example:')
      this.print()
      this.#tellLake(region)
      this.print(`  ${bin} check lake`)
      this.print(`  ${bin} tables lake`)
      return
    }
    const [seeded] = aws.s3.bucketNames()
    const bucket = objects === undefined ? (seeded ?? 'my-bucket') : sampleBucket
    if (objects !== undefined)
      this.print(`Bucket ${sampleBucket} has ${countOf(objects, 'object')}. For example:`)
    else if (seeded === undefined) this.print('It is empty. To begin with:')
    else this.print('For example:')
    this.print()
    if (objects === undefined && seeded === undefined) this.print(`  ${bin} s3 mb ${bucket}`)
    this.print(`  ${bin} connect dev --auth default-chain --set region=${region} \\`)
    this.print(`    --set bucket=${bucket} --set endpoint=$AWS_ENDPOINT_URL`)
    this.print(`  ${bin} check dev`)
    this.print(`  ${bin} tables dev`)
    if (objects === undefined) return
    this.print(`  ${bin} extract dev --object customers.csv --folder orders/ \\`)
    this.print('    --into warehouse.duckdb')
    this.print(`  ${bin} query "select channel, count(*), sum(amount) from orders group by 1" \\`)
    this.print('    --from warehouse.duckdb')
    this.print()
    this.print('The same folders are tables of its Glue, queried in place:')
    this.print()
    this.#tellLake(region)
    this.print(`  ${bin} query "select event, count(*) from ${sampleBucket}.events group by 1" \\`)
    this.print('    --connection lake')
  }

  #tellLake(region: string): void {
    this.print(`  ${this.config.bin} connect lake --connector zero-copy-glue --auth default-chain \\`)
    this.print(`    --set region=${region} --set endpoint=$AWS_ENDPOINT_URL \\`)
    this.print('    --set catalogEndpoint=$AWS_ENDPOINT_URL/iceberg \\')
    this.print('    --set stsEndpoint=$AWS_ENDPOINT_URL')
  }
}

/** Whether a seed puts tables into the catalog. It has been read before, so that it is well formed. */
const namesTables = async (path: string): Promise<boolean> => {
  const { tables } = JSON.parse(await readFile(path, 'utf8')) as { readonly tables?: readonly unknown[] }
  return (tables?.length ?? 0) > 0
}

const wrongSeed = (error: unknown): never => {
  throw new ConnectorError('config', error instanceof Error ? error.message : String(error), {
    code: 'InvalidSeed',
    hint: 'The README of @penstock/testkit tells what a seed file holds.',
  })
}

const wholeNumber = (flag: string, text: string | undefined, limit: number): number | undefined => {
  if (text === undefined) return undefined
  if (/^\d+$/.test(text) && Number(text) <= limit) return Number(text)
  throw new ConnectorError('config', `--${flag} must be a whole number from 0 to ${limit}.`, {
    code: 'Usage',
  })
}

/** Puts the sample into its bucket. With --data it may be there from before: then it is left as it is. */
const seed = async (aws: EmbeddedAws): Promise<number> => {
  const objects = sampleObjects()
  if (aws.s3.bucketNames().includes(sampleBucket)) return aws.s3.listKeys(sampleBucket).length
  aws.s3.createBucket({ name: sampleBucket })
  for (const { key, body } of objects) await aws.s3.putObject({ bucket: sampleBucket, key, body })
  addSampleTables(aws)
  return objects.length
}
