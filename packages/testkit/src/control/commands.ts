import { z } from 'zod'
import type { Faults } from '../faults/faults.ts'
import type { DirectGlue, DirectRest } from '../glue/direct.ts'
import type { Identities } from '../iam/identities.ts'
import type { RestSettings } from '../iceberg-rest/generic.ts'
import type { LogEntry, PolicyDocument } from '../types.ts'
import {
  databaseSchema,
  glueSettingsSchema,
  metadataLocationSchema,
  newTable,
  restNamespaceSchema,
  restSettings,
  restSettingsSchema,
  restTableSchema,
  tableBucketSchema,
  tableSchema,
} from './catalog-schemas.ts'
import { present } from './present.ts'
import type { AwsControl } from './protocol.ts'
import { controlObjectSchema, faultRuleSchema } from './schemas.ts'
import { bucketSchema, policySchema, problemsOf, roleSchema, type SeedTarget, userSchema } from './seed.ts'

/** The embedded AWS as the control endpoint needs it. */
export interface ControlTarget {
  identities: Identities
  faults: Faults
  s3: SeedTarget['s3'] & {
    deleteObject(bucket: string, key: string): unknown
    listKeys(bucket: string, prefix?: string): string[] | Promise<string[]>
    setBucketPolicy(bucket: string, policy: PolicyDocument | undefined): unknown
  }
  glue: DirectGlue
  rest: DirectRest & { configure(settings: RestSettings): void }
  log: { entries(): LogEntry[]; clear(): void }
  /** Ms that the server's clock is ahead of the machine's. */
  clockOffsetMs: number
}

/** Faults that were added over the control endpoint, by number. */
export interface ControlState {
  target: ControlTarget
  removers: Map<number, () => void>
  nextFault: number
}

interface Command {
  /** Checks the arguments and runs. */
  run(state: ControlState, args: unknown): unknown
}

function command<Schema extends z.ZodType<unknown[]>>(
  schema: Schema,
  run: (state: ControlState, ...args: z.output<Schema>) => unknown,
): Command {
  return {
    run: (state, args) => {
      const checked = schema.safeParse(args)
      if (checked.success) return run(state, ...checked.data)
      throw Object.assign(new Error(problemsOf(checked.error)), { name: 'ValidationError' })
    },
  }
}

const text = z.string()
const none = z.tuple([])
const policyName = text.optional()
const objectName = z.strictObject({ bucket: text, key: text })
const sessions = z.strictObject({ role: text.optional(), accessKeyId: text.optional() }).optional()

/** One command for each function of `AwsControl`, and the remover that `addFault` gives there. */
export const commands: Record<keyof AwsControl | 'removeFault', Command> = {
  createBucket: command(z.tuple([bucketSchema]), async ({ target }, bucket) => {
    await target.s3.createBucket(present(bucket))
  }),
  putObject: command(z.tuple([controlObjectSchema]), async ({ target }, object) => {
    await target.s3.putObject(present(object))
  }),
  deleteObject: command(z.tuple([objectName]), async ({ target }, object) => {
    await target.s3.deleteObject(object.bucket, object.key)
  }),
  listKeys: command(z.tuple([text, text.optional()]), ({ target }, bucket, prefix) =>
    target.s3.listKeys(bucket, prefix),
  ),
  setBucketPolicy: command(z.tuple([text, policySchema.nullish()]), async ({ target }, bucket, policy) => {
    await target.s3.setBucketPolicy(bucket, policy ?? undefined)
  }),
  createDatabase: command(z.tuple([databaseSchema]), ({ target }, database) =>
    target.glue.createDatabase(present(database)),
  ),
  createTable: command(z.tuple([tableSchema]), ({ target }, table) =>
    target.glue.createTable(newTable(table)),
  ),
  setMetadataLocation: command(z.tuple([metadataLocationSchema]), ({ target }, table) =>
    target.glue.setMetadataLocation(present(table)),
  ),
  createTableBucket: command(z.tuple([tableBucketSchema]), ({ target }, bucket) =>
    target.glue.createTableBucket(present(bucket)),
  ),
  configureGlue: command(z.tuple([glueSettingsSchema]), ({ target }, settings) =>
    target.glue.configure(present(settings)),
  ),
  createRestNamespace: command(z.tuple([restNamespaceSchema]), ({ target }, namespace) =>
    target.rest.createNamespace(present(namespace)),
  ),
  createRestTable: command(z.tuple([restTableSchema]), ({ target }, table) => target.rest.createTable(table)),
  configureRest: command(z.tuple([restSettingsSchema]), ({ target }, settings) =>
    target.rest.configure(restSettings(settings)),
  ),
  createUser: command(z.tuple([userSchema]), ({ target }, user) =>
    target.identities.createUser(present(user)),
  ),
  deleteUser: command(z.tuple([text]), ({ target }, user) => target.identities.deleteUser(user)),
  createRole: command(z.tuple([roleSchema]), ({ target }, role) =>
    target.identities.createRole(present(role)),
  ),
  deleteRole: command(z.tuple([text]), ({ target }, role) => target.identities.deleteRole(role)),
  putUserPolicy: command(z.tuple([text, policySchema, policyName]), ({ target }, user, policy, name) =>
    target.identities.putUserPolicy(user, policy, name),
  ),
  deleteUserPolicy: command(z.tuple([text, policyName]), ({ target }, user, name) =>
    target.identities.deleteUserPolicy(user, name),
  ),
  putRolePolicy: command(z.tuple([text, policySchema, policyName]), ({ target }, role, policy, name) =>
    target.identities.putRolePolicy(role, policy, name),
  ),
  deleteRolePolicy: command(z.tuple([text, policyName]), ({ target }, role, name) =>
    target.identities.deleteRolePolicy(role, name),
  ),
  setTrustPolicy: command(z.tuple([text, policySchema]), ({ target }, role, policy) =>
    target.identities.setTrustPolicy(role, policy),
  ),
  rotateAccessKeys: command(z.tuple([text]), ({ target }, user) => target.identities.rotateAccessKeys(user)),
  revokeAccessKey: command(z.tuple([text]), ({ target }, id) => target.identities.revokeAccessKey(id)),
  expireSessions: command(z.tuple([sessions]), ({ target }, only) =>
    target.identities.expireSessions(present(only ?? {})),
  ),
  users: command(none, ({ target }) => target.identities.users()),
  roles: command(none, ({ target }) => target.identities.roles()),
  addFault: command(z.tuple([faultRuleSchema]), (state, { when, fault, ...rest }) => {
    const number = state.nextFault++
    const condition = when && { when: present(when) }
    state.removers.set(
      number,
      state.target.faults.add({ ...present(rest), ...condition, fault: present(fault) }),
    )
    return number
  }),
  removeFault: command(z.tuple([z.int()]), ({ removers }, number) => {
    removers.get(number)?.()
    removers.delete(number)
  }),
  clearFaults: command(none, ({ target, removers }) => {
    target.faults.clear()
    removers.clear()
  }),
  faults: command(none, ({ target }) => target.faults.list()),
  log: command(none, ({ target }) => target.log.entries()),
  clearLog: command(none, ({ target }) => target.log.clear()),
  setClockOffset: command(z.tuple([z.number()]), ({ target }, ms) => {
    target.clockOffsetMs = ms
  }),
}
