import { z } from 'zod'
import { duration } from '../project/duration.ts'

export const alertEvents = ['start', 'success', 'failure', 'delay', 'rows'] as const
export type AlertEvent = (typeof alertEvents)[number]

const minutes = 60_000

const share = () =>
  z
    .string()
    .regex(/^(\d{1,2}(\.\d+)?|100)%$/, 'must be a percentage such as 1%')
    .transform((text) => Number.parseFloat(text) / 100)

/** An entry of `alerts`, of the project or of a pipeline: what is told, and to whom. */
export const alertEntry = z
  .strictObject({
    on: z
      .array(z.enum(alertEvents))
      .min(1)
      .default(['failure', 'delay', 'rows'])
      .describe('What is told: start, success, failure, delay, rows'),
    webhook: z
      .strictObject({
        url: z
          .string()
          .min(1)
          .describe(
            'Where the event is posted as JSON that Slack understands: https, or http to this machine',
          ),
        secret: z
          .string()
          .regex(
            /^\$\{(env|file):[^{}]+\}$/,
            'is a secret and has to be a reference to an environment variable or a file',
          )
          .optional()
          .describe('Key that signs what is posted, as a reference'),
      })
      .optional()
      .describe('Posts the event'),
    command: z
      .array(z.string())
      .min(1)
      .optional()
      .describe('Program and arguments that get the event as JSON on stdin. No shell reads them'),
    delay: duration()
      .default(150 * minutes)
      .describe('A run that takes longer is told as delay (default 150m)'),
    late: duration()
      .default(15 * minutes)
      .describe('A run that starts that much later than it was due is told as delay (default 15m)'),
    rows: share()
      .default(0.01)
      .describe('A larger share of rejected or skipped rows is told as rows (default 1%)'),
    timeout: duration()
      .default(minutes)
      .describe('Time for the webhook with its retries, or for the command (default 1m)'),
  })
  .superRefine(({ webhook, command }, context) => {
    if ((webhook === undefined) === (command === undefined))
      context.addIssue({ code: 'custom', message: 'must have either webhook or command' })
  })

export type Alert = z.output<typeof alertEntry>
