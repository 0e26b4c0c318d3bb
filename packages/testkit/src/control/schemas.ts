import { z } from 'zod'

const count = z.int().nonnegative()
const bytes = z.custom<Buffer>((value) => Buffer.isBuffer(value), 'bytes')
const handled = z.boolean().optional()

/** The faults of `faults.ts` as data; functions cannot travel, so `mutate` is not among them. */
const faultSchema = z.union([
  z.strictObject({ kind: z.literal('latency'), ms: z.number().nonnegative() }),
  z.strictObject({ kind: z.literal('slow-down') }),
  z.strictObject({ kind: z.literal('internal-error'), handled }),
  z.strictObject({
    kind: z.literal('error'),
    status: z.int().min(200).max(599),
    code: z.string(),
    message: z.string(),
    handled,
  }),
  z.strictObject({ kind: z.literal('reset'), handled }),
  z.strictObject({ kind: z.literal('reset-body'), afterBytes: count }),
  z.strictObject({ kind: z.literal('truncate-body'), afterBytes: count }),
  z.strictObject({ kind: z.literal('corrupt-body'), atByte: count }),
  z.strictObject({ kind: z.literal('expired-token') }),
  z.strictObject({ kind: z.literal('clock-skew'), ms: z.number() }),
  z.strictObject({ kind: z.literal('change-object'), body: z.union([bytes, z.string()]).optional() }),
  z.strictObject({ kind: z.literal('hang') }),
  z.strictObject({ kind: z.literal('slow-drip'), bytesPerSecond: z.number().positive() }),
  z.strictObject({
    kind: z.literal('slow-drip'),
    chunkBytes: z.int().positive(),
    intervalMs: z.number().positive(),
  }),
])

const conditionSchema = z.strictObject({
  service: z.enum(['s3', 'sts', 'glue', 'iceberg']).optional(),
  operation: z.union([z.string(), z.array(z.string())]).optional(),
  method: z.string().optional(),
  bucket: z.string().optional(),
  key: z.union([z.string(), z.instanceof(RegExp)]).optional(),
  minRangeStart: count.optional(),
})

export const faultRuleSchema = z.strictObject({
  when: conditionSchema.optional(),
  skip: count.optional(),
  times: count.optional(),
  probability: z.number().min(0).max(1).optional(),
  seed: z.int().optional(),
  fault: faultSchema,
})

export const controlObjectSchema = z.strictObject({
  bucket: z.string(),
  key: z.string(),
  body: z.union([bytes, z.string()]),
  contentType: z.string().optional(),
  metadata: z.record(z.string(), z.string()).optional(),
})
