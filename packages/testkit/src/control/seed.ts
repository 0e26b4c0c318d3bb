import { createReadStream } from 'node:fs'
import { readdir, readFile, stat } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import type { Readable } from 'node:stream'
import { z } from 'zod'
import type { DirectGlue } from '../glue/direct.ts'
import type { NewRole, NewUser, User } from '../iam/identities.ts'
import type { PolicyDocument } from '../types.ts'
import { databaseSchema, newTable, tableBucketSchema, tableSchema } from './catalog-schemas.ts'
import { present, type WithoutUndefined } from './present.ts'

/** Only its outline: the identity store and the bucket check policies as AWS does. */
export const policySchema = z.custom<PolicyDocument>(
  (value) => typeof value === 'object' && value !== null && 'Statement' in value,
  'a policy document with a Statement',
)

export const bucketSchema = z.strictObject({
  name: z.string(),
  region: z.string().optional(),
  account: z.string().optional(),
  policy: policySchema.optional(),
  publicRead: z.boolean().optional(),
  versioning: z.enum(['Enabled', 'Suspended']).optional(),
})

export const userSchema = z.strictObject({
  name: z.string(),
  account: z.string().optional(),
  policies: z.array(policySchema).optional(),
  accessKeyId: z.string().min(16).max(128).optional(),
  secretAccessKey: z.string().min(1).optional(),
})

export const roleSchema = z.strictObject({
  name: z.string(),
  account: z.string().optional(),
  trustPolicy: policySchema,
  policies: z.array(policySchema).optional(),
  maxSessionDuration: z.int().optional(),
})

const objectSettings = {
  contentType: z.string().optional(),
  metadata: z.record(z.string(), z.string()).optional(),
}

export const objectSchema = z
  .strictObject({
    bucket: z.string(),
    key: z.string(),
    text: z.string().optional(),
    base64: z.base64().optional(),
    ...objectSettings,
  })
  .refine(({ text, base64 }) => text === undefined || base64 === undefined, 'text or base64, not both')

/** Paths are relative to the seed file. */
const fileSchema = z.strictObject({
  bucket: z.string(),
  key: z.string(),
  file: z.string(),
  ...objectSettings,
})
const folderSchema = z.strictObject({
  bucket: z.string(),
  prefix: z.string().default(''),
  folder: z.string(),
  ...objectSettings,
})

const seedSchema = z.strictObject({
  buckets: z.array(bucketSchema).default([]),
  users: z.array(userSchema).default([]),
  roles: z.array(roleSchema).default([]),
  objects: z.array(z.union([objectSchema, fileSchema, folderSchema])).default([]),
  tableBuckets: z.array(tableBucketSchema).default([]),
  databases: z.array(databaseSchema).default([]),
  tables: z.array(tableSchema).default([]),
})

/** A seed file: what the embedded AWS holds when it starts. `folder` entries stand for all files below a folder. */
export type Seed = z.input<typeof seedSchema>
export type BucketSeed = z.output<typeof bucketSchema>
export type ObjectSeed = z.output<typeof objectSchema>

export interface ObjectToPut {
  bucket: string
  key: string
  body: Buffer | string | Readable
  contentType?: string
  metadata?: Record<string, string>
}

/** What a seed needs of the embedded AWS. */
export interface SeedTarget {
  identities: {
    createUser(user: NewUser): User
    createRole(role: NewRole): { arn: string }
  }
  s3: {
    createBucket(bucket: WithoutUndefined<BucketSeed>): unknown
    putObject(object: ObjectToPut): unknown
  }
  glue: Pick<DirectGlue, 'createDatabase' | 'createTable' | 'createTableBucket'>
}

/** Text that says where a value is wrong: `users[0].name: ...`. */
export function problemsOf(error: z.ZodError): string {
  return error.issues
    .map(({ path, message }) => {
      const place = path.map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`)).join('')
      return `${place.replace(/^\./, '') || 'input'}: ${message}`
    })
    .join('; ')
}

/** Reads a seed file (JSON) and puts everything in it; throws with the place of a value that is wrong. */
export async function seedFrom(target: SeedTarget, file: string): Promise<void> {
  const text = await readFile(file, 'utf8')
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch (error) {
    throw new Error(`The seed ${file} is not JSON: ${error instanceof Error ? error.message : ''}`)
  }
  await applySeed(target, parsed, dirname(resolve(file)))
}

/** Puts a seed's buckets, users, roles, objects, table buckets, databases and tables, in that order. Relative paths start at `folder`. */
export async function applySeed(target: SeedTarget, seed: unknown, folder: string): Promise<void> {
  const checked = seedSchema.safeParse(seed)
  if (!checked.success) throw new Error(`The seed is not valid: ${problemsOf(checked.error)}`)
  const { buckets, users, roles, objects, tableBuckets, databases, tables } = checked.data
  for (const bucket of buckets) await target.s3.createBucket(present(bucket))
  for (const user of users) target.identities.createUser(present(user))
  for (const role of roles) target.identities.createRole(present(role))
  for (const object of objects) {
    if ('folder' in object) await putFolder(target, object, resolve(folder, object.folder))
    else if ('file' in object) {
      const { file, ...rest } = object
      await putFile(target, present(rest), resolve(folder, file))
    } else await target.s3.putObject(objectToPut(object))
  }
  for (const bucket of tableBuckets) target.glue.createTableBucket(present(bucket))
  for (const database of databases) target.glue.createDatabase(present(database))
  for (const table of tables) target.glue.createTable(newTable(table))
}

/** The body that `text` or `base64` gives; empty without either. */
function objectToPut({ text, base64, ...rest }: ObjectSeed): ObjectToPut {
  return { ...present(rest), body: base64 === undefined ? (text ?? '') : Buffer.from(base64, 'base64') }
}

/** Files up to this size are read in one go. */
const smallFileBytes = 1024 ** 2

async function putFile(target: SeedTarget, object: Omit<ObjectToPut, 'body'>, path: string): Promise<void> {
  const found = await stat(path)
  if (!found.isFile()) throw new Error(`${path} is not a file`)
  // A stream allocates its whole buffer, which dominates for the many small files of a seed.
  const isSmall = found.size <= smallFileBytes
  const body = isSmall ? await readFile(path) : createReadStream(path, { highWaterMark: smallFileBytes })
  await target.s3.putObject({ ...object, body })
}

async function putFolder(
  target: SeedTarget,
  { bucket, prefix, folder: _, ...settings }: z.output<typeof folderSchema>,
  path: string,
): Promise<void> {
  const entries = await readdir(path, { recursive: true, withFileTypes: true })
  for (const entry of entries) {
    if (!entry.isFile()) continue
    const full = join(entry.parentPath, entry.name)
    const key = prefix + full.slice(path.length + 1).replaceAll('\\', '/')
    await putFile(target, { ...present(settings), bucket, key }, full)
  }
}
