import type { z } from 'zod'
import type { AuthMethod } from './auth.ts'
import { parse } from './connection.ts'
import type { ConnectorContext, ConnectorDefinition, ResolvedAuth } from './connector.ts'
import { type SchemaField, schemaFields } from './schema-fields.ts'

/** What an action gets beside its input: the connection's context, and the streams of who calls it. */
export interface ActionContext<Config = unknown, Auth = unknown> extends ConnectorContext<Config, Auth> {
  /** Bytes that the caller hands over, for inputs that say `-`. */
  readonly stdin?: AsyncIterable<Uint8Array>
  /** Takes bytes that the action hands out, for outputs that say `-`; resolves when more can come. */
  readonly stdout?: (chunk: Uint8Array) => Promise<void>
  readonly onProgress: (event: ActionProgress) => void
}

/** Totals so far. */
export interface ActionProgress {
  /** What is under way: a key, a path. */
  readonly item: string
  readonly items: number
  readonly totalItems?: number
  readonly bytes: number
  readonly totalBytes?: number
}

/** A named step with typed input and output that a workflow, a command line or a program calls. */
export interface Action<
  Input extends z.ZodType = z.ZodType,
  Output extends z.ZodType = z.ZodType,
  Context extends ActionContext = ActionContext,
> {
  readonly title: string
  readonly description?: string
  /** Short names of its command: `mb`. */
  readonly aliases?: readonly string[]
  /** Input fields that its command takes as arguments, in this order; the others are flags. */
  readonly arguments?: readonly string[]
  readonly examples?: readonly { readonly description: string; readonly input: z.input<Input> }[]
  readonly input: Input
  readonly output: Output
  /** True when it changes nothing on the other side: may be tried again freely. */
  readonly readOnly?: boolean
  /** True when two runs with the same input leave what one leaves: may be tried again when its end is not known. */
  readonly idempotent?: boolean
  /** Output field with the list of what an action with many results finds or does. Default `items`. */
  readonly list?: string
  /**
   * Does it. Throws ConnectorErrors. An action with many results hands them out as they come by `emit`, each an
   * element of the list of its output (see `list`), which it then leaves empty.
   */
  run(
    context: Context,
    input: z.output<Input>,
    emit?: (item: unknown) => Promise<void>,
  ): Promise<z.output<Output>>
}

// biome-ignore lint/suspicious/noExplicitAny: variance: actions of all inputs meet here
export type AnyAction = Action<any, any, any>

export interface ActionsDefinition<
  Config extends z.ZodType,
  Methods extends readonly AuthMethod[],
  Actions extends Readonly<Record<string, AnyAction>>,
> extends ConnectorDefinition<Config, Methods> {
  /** Word under which its commands stand: `s3` gives `penstock s3 ls`. */
  readonly topic: string
  /**
   * Input of a connection that is made of environment variables alone, `auth` included, for commands that are given no
   * connection; their flags go on top of it.
   */
  environment?(variables: Readonly<Record<string, string | undefined>>): Readonly<Record<string, unknown>>
  /** By long name: `list-files`. */
  readonly actions: Actions
}

/** An actions connector. `specificationVersion` is raised only when the contract breaks. */
export interface Actions<
  Config extends z.ZodType = z.ZodType,
  Methods extends readonly AuthMethod[] = readonly AuthMethod[],
  Named extends Readonly<Record<string, AnyAction>> = Readonly<Record<string, AnyAction>>,
> extends ActionsDefinition<Config, Methods, Named> {
  readonly kind: 'actions'
  readonly specificationVersion: 1
}

/** Actions of any configuration, as the runtime and the command line handle them. */
// biome-ignore lint/suspicious/noExplicitAny: variance: contexts of all configurations meet here
export type AnyActions = Actions<any, any, any>

/** Context of the actions of a connector with this configuration and these auth methods. */
export type ActionContextOf<Config extends z.ZodType, Methods extends readonly AuthMethod[]> = ActionContext<
  z.output<Config>,
  ResolvedAuth<Methods>
>

/** Output field with the many results of an action, where it has such a field. */
export const listField = (action: AnyAction): SchemaField | undefined => {
  const field = schemaFields(action.output).find(({ name }) => name === (action.list ?? 'items'))
  return field?.itemFields ? field : undefined
}

/** One action with its types inferred. */
export const defineAction = <
  Input extends z.ZodType,
  Output extends z.ZodType,
  Context extends ActionContext = ActionContext,
>(
  action: Action<Input, Output, Context>,
): Action<Input, Output, Context> => Object.freeze(action)

export const defineActions = <
  Config extends z.ZodType,
  const Methods extends readonly AuthMethod[] = readonly [],
  const Named extends Readonly<Record<string, AnyAction>> = Readonly<Record<string, AnyAction>>,
>(
  definition: ActionsDefinition<Config, Methods, Named>,
): Actions<Config, Methods, Named> =>
  Object.freeze({ ...definition, kind: 'actions' as const, specificationVersion: 1 as const })

/** What a function of an action is called with: the context of a connection, and what of the rest there is. */
export type ActionCall<Context extends ActionContext> = Omit<Context, 'onProgress' | 'stdin' | 'stdout'> &
  Partial<Pick<Context, 'onProgress' | 'stdin' | 'stdout'>>

/** An action as a plain function, for programs: `await uploadFile(context, { source: 'a.csv' })`. */
export const actionFunction =
  <Input extends z.ZodType, Output extends z.ZodType, Context extends ActionContext>(
    action: Action<Input, Output, Context>,
  ) =>
  (
    context: ActionCall<Context>,
    input: z.input<Input>,
    emit?: (item: unknown) => Promise<void>,
  ): Promise<z.output<Output>> => {
    const complete = { onProgress: () => {}, ...context } as unknown as Context
    return action.run(complete, parse(action.input, input, `action ${action.title}`), emit)
  }
