import { type ActionContextOf, defineAction, defineActions } from '@penstock/core'
import { z } from 'zod'

const config = z.strictObject({ greeting: z.string().describe('What is said') })

const sayHello = defineAction({
  title: 'Say hello',
  aliases: ['hi'],
  arguments: ['name'],
  input: z.strictObject({
    name: z.string().describe('Who is greeted'),
    // The name of a flag of the command line itself.
    project: z.string().optional().describe('Where they are from'),
  }),
  output: z.object({ text: z.string() }),
  run: async ({ config: { greeting } }: ActionContextOf<typeof config, readonly []>, { name, project }) => ({
    text: `${greeting} ${name}${project === undefined ? '' : ` of ${project}`}`,
  }),
})

/** Actions of a third party. */
export default defineActions({
  name: 'actions-greetings',
  description: 'Says hello',
  topic: 'greet',
  config,
  environment: ({ GREETING }) => (GREETING ? { greeting: GREETING } : {}),
  check: async () => {},
  actions: { 'say-hello': sayHello },
})
