import { relative } from 'node:path'
import {
  Args,
  askFields,
  Flags,
  type Prompter,
  terminalPrompter,
  toJson,
  type WizardOptions,
} from '@penstock/command-kit'
import {
  type AnyConnector,
  type AuthMethod,
  ConnectorError,
  nearest,
  type SchemaField,
  schemaFields,
} from '@penstock/core'
import {
  hasReference,
  isProjectName,
  needsExternalId,
  type Project,
  saveConnection,
  secretVariable,
} from '@penstock/runtime'
import { builtInConnectors, loadConnector } from '../lib/connectors.ts'
import { type KnownConnector, knownConnectors } from '../lib/installed-connectors.ts'
import { ProjectCommand } from '../lib/project-command.ts'
import { applySettings, methodOf, readSettings } from '../lib/settings.ts'

type Fields = Record<string, unknown>

interface Draft {
  readonly connector: AnyConnector
  readonly reference: string
  readonly method: AuthMethod | undefined
  readonly fields: Fields
  readonly auth: Fields
}

/** Adds a connection to the project, or changes one. */
export class Connect extends ProjectCommand {
  static override summary = 'Add a connection to the project, or change one.'
  static override description =
    `On a terminal it asks for what is missing; elsewhere everything comes from flags. Fields of the auth method are set as auth.FIELD. An existing connection keeps what is not set; an empty value removes a field.

Secrets do not go into the project file, nor on a command line: set them to \${env:NAME} or \${file:path}, which are resolved at use. For a role, an external id is made, and the trust policy to paste into AWS is printed.`
  static override examples = [
    { description: 'Asks for everything', command: '<%= config.bin %> connect' },
    {
      description: 'A role (recommended)',
      command:
        '<%= config.bin %> connect lake --auth assumed-role --set region=eu-central-1 --set bucket=sales --set auth.roleArn=arn:aws:iam::111122223333:role/penstock',
    },
    {
      description: 'An access key from the environment',
      command: `<%= config.bin %> connect lake --auth access-key --set region=eu-central-1 --set bucket=sales --set 'auth.accessKeyId=\${env:AWS_ACCESS_KEY_ID}' --set 'auth.secretAccessKey=\${env:AWS_SECRET_ACCESS_KEY}'`,
    },
  ]
  static override args = {
    name: Args.string({ description: 'Name of the connection.', ignoreStdin: true }),
  }
  static override flags = {
    connector: Flags.string({
      description:
        'Connector: source-s3, zero-copy-glue, an installed package, or ./file (default: source-s3).',
      helpValue: 'NAME',
    }),
    auth: Flags.string({ description: 'Auth method of the connector.', helpValue: 'METHOD' }),
    set: Flags.string({
      description: 'A field; repeatable. Nested ones with dots.',
      helpValue: 'KEY=VALUE',
      multiple: true,
      multipleNonGreedy: true,
    }),
    description: Flags.string({ description: 'What the connection is for.', helpValue: 'TEXT' }),
  }

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(Connect)
    const settings = readSettings(flags.set ?? [])
    if (args.name !== undefined && !isProjectName(args.name)) throw badName()
    const project = await this.openOrStartProject(flags.project)
    const asks = this.interactive && (args.name === undefined || settings.length === 0)
    const prompter = asks ? await terminalPrompter(`Connection of ${project.file}`) : undefined
    const name =
      args.name ??
      (await prompter?.text({
        message: 'Name of the connection',
        placeholder: 'lake',
        validate: nameProblem,
      }))
    if (name === undefined)
      throw new ConnectorError('config', 'NAME is missing.', {
        code: 'Usage',
        hint: `See: ${this.config.bin} connect --help`,
      })
    const before = Object.hasOwn(project.connections, name) ? project.connections[name] : undefined
    const known = () =>
      knownConnectors(project.folder, {
        version: this.config.version,
        commandIds: this.config.commandIDs,
      })
    const reference = flags.connector ?? before?.connector ?? (await chooseConnector(prompter, known))
    const connector = await loadConnector(reference, project.folder)
    const method = await chooseMethod(
      connector,
      flags.auth ?? methodOf(settings) ?? textOf(before?.auth?.method),
      prompter,
    )
    const { method: formerMethod, ...formerAuth } = before?.auth ?? {}
    const applied = applySettings(settings, connector, method, {
      fields: before?.connector === reference ? { ...before.fields } : {},
      auth: formerMethod === method?.id ? { ...formerAuth } : {},
    })
    const draft = await complete({ connector, reference, method, ...applied }, name, prompter)
    const generated = await addExternalId(draft)
    const description = flags.description ?? before?.description
    const saved = await saveConnection(project, {
      name,
      connector,
      reference,
      fields: draft.fields,
      ...(description === undefined ? {} : { description }),
      ...(method ? { auth: { method: method.id, ...draft.auth } } : {}),
    })
    const trust = await this.#trustPolicy(saved, name)
    const result = {
      name,
      connector: reference,
      ...(method ? { auth: method.id } : {}),
      file: project.file,
      created: before === undefined,
      ...(generated === undefined ? {} : { externalId: generated }),
      ...(trust === undefined ? {} : { trust }),
    }
    this.#tell(result, trust, connector)
    await this.#offerCheck(prompter, project, name)
    return result
  }

  /** Trust policy of a role, when the connection has one and can be opened far enough. */
  async #trustPolicy(project: Project, name: string): Promise<unknown> {
    try {
      const { connector, config, authMethod, authFields } = await this.openConnection(project, name, {
        secrets: 'optional',
      })
      return connector.policy?.({ config, authMethod, authFields }, {}).trust
    } catch {
      return undefined // a reference that can't be resolved here and now; `policy --trust` tells
    }
  }

  #tell(
    result: { name: string; file: string; created: boolean; externalId?: string },
    trust: unknown,
    connector: AnyConnector,
  ): void {
    const { green, bold } = this.outStyle
    this.print(
      `${green('✔')} ${result.created ? 'Added' : 'Changed'} connection ${bold(result.name)} in ${relative(process.cwd(), result.file) || result.file}`,
    )
    if (trust !== undefined) {
      this.print()
      this.print('Trust policy of the role, to paste into AWS (IAM, role, Trust relationships):')
      this.print()
      this.print(toJson(trust))
    }
    this.print()
    this.print('Next:')
    const { name } = result
    const next = [
      ...(connector.policy ? [[`policy ${name}`, 'what the credentials must be allowed']] : []),
      [`check ${name}`, 'test it'],
      ...nextSteps(name, connector),
    ] as const
    const width = Math.max(...next.map(([command = '']) => command.length))
    for (const [command = '', purpose] of next)
      this.print(`  ${this.config.bin} ${command.padEnd(width)}  ${purpose}`)
  }

  async #offerCheck(prompter: Prompter | undefined, project: Project, name: string): Promise<void> {
    if (!prompter) return
    if (await prompter.confirm({ message: 'Test the connection now?', initial: true })) {
      prompter.done('Testing it.')
      await this.config.runCommand('check', [name, '--project', project.file])
    } else prompter.done('Done.')
  }
}

/** What a connection of its kind is for. */
const nextSteps = (name: string, { kind, config }: AnyConnector): readonly (readonly string[])[] => {
  switch (kind) {
    case 'zero-copy':
      return [
        [`namespaces ${name}`, 'what the catalog has'],
        schemaFields(config).some((field) => field.name === 'shares')
          ? [`share ${name} --namespace NAME`, 'choose tables']
          : [`tables ${name}`, 'what can be queried'],
      ]
    case 'destination':
      return [[`export ${name} --table TABLE`, 'write a table to it']]
    case 'actions':
      return [[`do ${name}`, 'what it can do']]
    case 'source':
      return [[`tables ${name}`, 'what can be extracted']]
  }
}

const textOf = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined)

const badName = () =>
  new ConnectorError('config', 'This is no name for a connection.', {
    code: 'Usage',
    hint: 'Use 1-64 letters, digits, . _ or -, beginning with a letter or digit.',
  })

const nameProblem = (name: string): string | undefined =>
  isProjectName(name) ? undefined : '1-64 letters, digits, . _ or -, beginning with a letter or digit'

const labelOf = ({ title, name, kind }: AnyConnector): string => {
  const label = title ?? name
  return label.toLowerCase().includes(kind) ? label : `${label}, ${kind}`
}

/** Without somebody to ask: the first one. Installed packages are offered next to those that are built in. */
const chooseConnector = async (
  prompter: Prompter | undefined,
  known: () => Promise<readonly KnownConnector[]>,
): Promise<string> => {
  if (!prompter) return builtInConnectors[0]?.name ?? ''
  return prompter.select({
    message: 'Connector',
    choices: (await known()).flatMap(({ reference, connector, error }) =>
      connector && !error
        ? [
            {
              value: reference,
              // A source and a destination of one service have one title.
              label: labelOf(connector),
              hint: reference,
            },
          ]
        : [],
    ),
  })
}

const chooseMethod = async (
  connector: AnyConnector,
  wanted: string | undefined,
  prompter: Prompter | undefined,
): Promise<AuthMethod | undefined> => {
  const methods: readonly AuthMethod[] = connector.auth ?? []
  const ids = methods.map((method) => method.id)
  if (wanted !== undefined) {
    const found = methods.find((method) => method.id === wanted)
    if (found) return found
    const guess = nearest(wanted, ids)
    throw new ConnectorError('config', `The connector ${connector.name} has no such auth method.`, {
      code: 'Usage',
      hint: guess ? `Did you mean ${guess}?` : `Methods: ${ids.join(', ') || 'none'}.`,
    })
  }
  if (methods.length <= 1) return methods[0]
  if (!prompter)
    throw new ConnectorError('config', '--auth is missing: how to prove who you are.', {
      code: 'Usage',
      hint: `Methods: ${ids.join(', ')}.`,
    })
  const choices = [...methods].sort((a, b) => Number(b.recommended ?? false) - Number(a.recommended ?? false))
  const chosen = await prompter.select({
    message: 'Authentication',
    choices: choices.map(({ id, title, description, recommended }) => ({
      value: id,
      label: recommended ? `${title} (recommended)` : title,
      ...(description === undefined ? {} : { hint: description }),
    })),
  })
  return methods.find((method) => method.id === chosen)
}

/** Asks for what is missing. The external id is not asked for: it is made. */
const complete = async (draft: Draft, name: string, prompter: Prompter | undefined): Promise<Draft> => {
  if (!prompter) return requireComplete(draft, name)
  const options: WizardOptions = {
    isReference: (text) => text.includes('${') && hasReference(text),
    variableFor: (field: SchemaField) => secretVariable(name, field.name),
  }
  const { connector, method } = draft
  const fields = await askFields(prompter, connector.config, { ...options, given: draft.fields })
  const given = needsExternalId(draft.method, draft.auth) ? { ...draft.auth, externalId: '' } : draft.auth
  const auth = method ? await askFields(prompter, method.fields, { ...options, given }) : {}
  if (auth.externalId === '') delete auth.externalId
  if (!(await prompter.confirm({ message: 'Set optional fields too?', initial: false })))
    return { ...draft, fields, auth }
  return {
    ...draft,
    fields: await askFields(prompter, connector.config, { ...options, given: fields, optional: true }),
    auth: method
      ? await askFields(prompter, method.fields, {
          ...options,
          given: { externalId: '', ...auth },
          optional: true,
        })
      : auth,
  }
}

/** Nobody can be asked: what is missing is told as it can be given. */
const requireComplete = (draft: Draft, name: string): Draft => {
  const { connector, method, fields, auth } = draft
  const made = needsExternalId(method, auth) ? { ...auth, externalId: '' } : auth
  const missing = [
    ...missingOf(connector.config, fields, ''),
    ...(method ? missingOf(method.fields, made, 'auth.') : []),
  ]
  if (missing.length === 0) return draft
  const flags = missing.map(({ path, field }) =>
    field.kind === 'secret'
      ? `--set '${path}=\${env:${secretVariable(name, field.name)}}'`
      : `--set ${path}=...`,
  )
  throw new ConnectorError(
    'config',
    `${missing.map(({ path }) => path).join(', ')} of connection "${name}" ${missing.length === 1 ? 'is' : 'are'} missing.`,
    { code: 'Usage', hint: `Add ${flags.join(' ')}, or run it on a terminal, where it asks.` },
  )
}

const missingOf = (schema: AuthMethod['fields'], given: Fields, prefix: string) =>
  schemaFields(schema)
    .filter((field) => field.required && given[field.name] === undefined)
    .map((field) => ({ path: prefix + field.name, field }))

/** Makes the external id of a role that has none yet: the other side puts it into the trust policy. */
const addExternalId = async (draft: Draft): Promise<string | undefined> => {
  if (!needsExternalId(draft.method, draft.auth)) return undefined
  const { createExternalId } = await import('@penstock/aws')
  const externalId = createExternalId()
  draft.auth.externalId = externalId
  return externalId
}
