import { Args, BaseCommand, parseFlags, readFlags, schemaFlags } from '@penstock/command-kit'
import { z } from 'zod'

// node --conditions=penstock:source examples/greet.ts Ada --times 2 --json
const options = z.strictObject({
  times: z.int().min(1).default(1).describe('How often'),
  greeting: z.enum(['Hello', 'Bonjour']).default('Hello').describe('In which language'),
})

/** A command whose flags come from a schema, with JSON output, exit codes and Ctrl-C for free. */
class Greet extends BaseCommand {
  static override description = 'Greets somebody.'
  static override args = { name: Args.string({ required: true, description: 'Who is greeted.' }) }
  static override flags = schemaFlags(options)

  async run(): Promise<{ greetings: string[] }> {
    const { args, flags } = await this.parse(Greet)
    const { times, greeting } = parseFlags(options, readFlags(options, flags))
    const greetings = Array.from({ length: times }, () => `${greeting}, ${args.name}!`)
    for (const line of greetings) this.print(line)
    return { greetings }
  }
}

await Greet.run(process.argv.slice(2), import.meta.dirname).catch((error: { oclif?: { exit?: number } }) => {
  process.exitCode = error.oclif?.exit ?? 1
})
