import { type Config, Errors, type Interfaces } from '@oclif/core'
import {
  type AnyAction,
  type AnyActions,
  type AuthMethod,
  type Connection,
  ConnectorError,
  coerceText,
  connectUnknown,
  schemaFields,
  withContext,
} from '@penstock/core'
import { BaseCommand } from '../command.ts'
import { exitCodes } from '../exit-codes.ts'
import { errorFields, failureOf } from '../failure.ts'
import { toJson, writeOut } from '../output.ts'
import { parseFlags, readFlags, schemaFlags } from '../schema/flags.ts'
import { actionDefinition, connectionFields, findAction } from './definition.ts'
import { createJsonStream, type JsonStream } from './json-stream.ts'
import { type ResultView, resultView } from './result.ts'

type Given = Readonly<Record<string, unknown>>

export interface ActionCommandOptions {
  readonly connector: AnyActions
  /** Long name of the action: `list-files`. */
  readonly action: string
  /** Other ids of the command: `s3:list-files`. */
  readonly aliases?: readonly string[]
  /**
   * Opens the connection that `--connection` names, or the one that is fixed. A flag of the command line that a field of
   * the action has the name of is not among `flags`.
   */
  readonly openConnection: (name: string, flags: Given) => Promise<Connection>
  /** The one connection that the command is for: then there are no flags to choose or describe one. */
  readonly connection?: string
  /** Flags of the command line itself. */
  readonly flags?: Interfaces.FlagInput
}

/** A command that can be run; its class has no name to be exported under. */
export type ActionCommandClass = { [Name in keyof typeof BaseCommand]: (typeof BaseCommand)[Name] } & (new (
  argv: string[],
  config: Config,
) => BaseCommand)

/**
 * The command of an action: arguments, flags, help, progress, `--json`, `-` for stdin and stdout, and a connection of
 * the project or of the environment, all from the definition of the action and its connector.
 */
export const actionCommand = (options: ActionCommandOptions): ActionCommandClass => {
  const { connector, action: name } = options
  const { action } = findAction(connector, name)
  const definition = actionDefinition(connector, name, options.connection !== undefined)

  class ActionCommand extends BaseCommand {
    static override summary = definition.summary
    static override description = definition.description
    static override examples = definition.examples
    static override args = definition.args
    static override flags = definition.flags
    static override hiddenAliases = [...(options.aliases ?? [])]
    static override baseFlags = { ...BaseCommand.baseFlags, ...options.flags }

    async run(): Promise<unknown> {
      const { args, flags } = await this.parse(
        ActionCommand as unknown as Interfaces.Input<Given, Given, Given>,
      )
      const input = inputOf(action, args as Given, flags as Given)
      const view = resultView(action, Boolean(process.stdout.isTTY))
      if (this.jsonEnabled()) refuseStdout(action, input)
      const connection = await this.#connection(flags as Given)
      this.redactor.add(connection.secrets())
      const progress = this.startProgress()
      let bytesOut = false
      const stdout = async (chunk: Uint8Array): Promise<void> => {
        bytesOut = true
        if (!(await writeOut(process.stdout, chunk)))
          throw new ConnectorError('cancelled', 'Nobody reads any more.', { code: 'ClosedPipe' })
      }
      const json = createJsonStream(
        view.list ?? 'items',
        (text) => writeOut(process.stdout, text),
        (value) => this.redactor.value(value),
      )
      const emit = this.#emitter(view, json)
      const concurrency = (flags as Given).concurrency as number | undefined
      try {
        const output = await withContext(
          connection,
          (context) =>
            action.run(
              {
                ...context,
                stdin: process.stdin,
                ...(this.jsonEnabled() ? {} : { stdout }),
                onProgress: progress.onAction,
              },
              input,
              emit,
            ),
          { signal: this.signal, concurrency, notice: (message) => this.notice(message) },
        )
        progress.stop()
        return await this.#finish(view, json, output as Given, bytesOut)
      } catch (error) {
        // `| head` has what it wants.
        if (ConnectorError.isInstance(error) && error.code === 'ClosedPipe') return undefined
        if (!json.started()) throw error
        progress.stop()
        const failure = failureOf(error, this.signal)
        await json.end({ error: errorFields(failure) })
        throw new Errors.ExitError(exitCodes[failure.kind])
      }
    }

    #emitter(view: ResultView, json: JsonStream): ((item: unknown) => Promise<void>) | undefined {
      if (view.list === undefined) return undefined
      if (this.jsonEnabled()) return json.item
      return async (item) => {
        if (!(await this.write(`${view.item(item as Given)}\n`)))
          throw new ConnectorError('cancelled', 'Nobody reads any more.', { code: 'ClosedPipe' })
      }
    }

    async #finish(view: ResultView, json: JsonStream, output: Given, bytesOut: boolean): Promise<unknown> {
      if (this.jsonEnabled()) {
        if (!view.exact) {
          if (view.list === undefined) return output
          await json.end(output)
        } else process.stdout.write(`${toJson(output)}\n`)
        return undefined
      }
      if (bytesOut || view.list !== undefined) this.notice(view.summary(output))
      else if (view.exact) process.stdout.write(`${view.result(output).join('\n')}\n`)
      else for (const line of view.result(output)) this.print(line)
      return undefined
    }

    #connection(flags: Given): Promise<Connection> | Connection {
      const own = Object.keys(schemaFlags(action.input))
      const others = Object.fromEntries(Object.entries(flags).filter(([flag]) => !own.includes(flag)))
      if (options.connection !== undefined) return options.openConnection(options.connection, others)
      if (flags.connection !== undefined) {
        const spare = spareFlag(connector, action, flags)
        if (spare)
          throw new ConnectorError('config', `--${spare} has no effect with --connection.`, {
            code: 'Usage',
            hint: 'The connection says it already: leave one of them out.',
          })
        return options.openConnection(String(flags.connection), others)
      }
      return connectionOfEnvironment(connector, flags)
    }
  }
  return ActionCommand as unknown as ActionCommandClass
}

/** A flag that describes a connection although one is named. Of a flag that the action takes itself, it is its own. */
const spareFlag = (connector: AnyActions, action: AnyAction, flags: Given): string | undefined => {
  const own = Object.keys(schemaFlags(action.input))
  return ['auth', ...Object.keys(schemaFlags(connector.config))].find(
    (flag) => flags[flag] !== undefined && !own.includes(flag),
  )
}

/** Input of the action. Throws a `config` error that names arguments and flags. */
const inputOf = (action: AnyAction, args: Given, flags: Given): Given => {
  const named = action.arguments ?? []
  const fields = schemaFields(action.input).filter(({ name }) => named.includes(name))
  const given = Object.fromEntries(
    fields.flatMap((field) => {
      const text = args[field.name]
      return text === undefined ? [] : [[field.name, coerceText(field, String(text))]]
    }),
  )
  return parseFlags(action.input, { ...readFlags(action.input, flags), ...given }, undefined, named) as Given
}

/** A connection of environment variables and flags alone. */
const connectionOfEnvironment = (connector: AnyActions, flags: Given): Connection => {
  const { auth, ...fields } = connector.environment?.(process.env) ?? {}
  const { methods, standard } = connectionFields(connector)
  const method =
    flags.auth === undefined ? standard : methods.find((candidate) => candidate.id === flags.auth)
  const config = { ...fields, ...readFlags(connector.config, flags) }
  parseFlags(connector.config, config, 'Give it as a flag, set it in the environment, or use --connection.')
  const chosen = method
    ? { ...(method === standard ? (auth as object) : {}), ...authFlags(method, flags), method: method.id }
    : auth
  return connectUnknown(connector, { ...config, ...(chosen ? { auth: chosen } : {}) })
}

const authFlags = (method: AuthMethod, flags: Given): Given => readFlags(method.fields, flags)

/** The result and the bytes can't both go to stdout. */
const refuseStdout = (action: AnyAction, input: Given): void => {
  const field = schemaFields(action.input).find(
    ({ name, meta }) => meta.stdout === true && input[name] === '-',
  )
  if (!field) return
  throw new ConnectorError('config', '--json and - both write to stdout.', {
    code: 'Usage',
    hint: 'Give a file, or leave out --json.',
  })
}
