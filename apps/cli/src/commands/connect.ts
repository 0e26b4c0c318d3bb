import { relative } from 'node:path'
import {
  Args,
  columnsOf,
  errorLines,
  Flags,
  type Prompter,
  terminalPrompter,
  toJson,
} from '@penstock/command-kit'
import { type AnyConnector, ConnectorError, schemaFields, toConnectorError } from '@penstock/core'
import { isProjectName, openDraft, type Project, runCheck, saveConnection } from '@penstock/runtime'
import { stepLines } from '../lib/check-step.ts'
import { addExternalId, amend, chooseMethod, complete, type Draft, editOf } from '../lib/connection-draft.ts'
import { builtInConnectors, loadConnector } from '../lib/connectors.ts'
import { type KnownConnector, knownConnectors } from '../lib/installed-connectors.ts'
import { ProjectCommand } from '../lib/project-command.ts'
import { applySettings, methodOf, readSettings } from '../lib/settings.ts'

/** Adds a connection to the project, or changes one. */
export class Connect extends ProjectCommand {
  static override summary = 'Add a connection to the project, or change one.'
  static override description =
    `On a terminal it asks for what is missing, and tests the connection before it saves it; elsewhere everything comes from flags, and nothing is tested: check does that. Fields of the auth method are set as auth.FIELD. An existing connection keeps what is not set; an empty value removes a field.

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
    const description = flags.description ?? before?.description
    let draft = await complete({ name, connector, reference, description, method, ...applied }, prompter)
    let externalId = await addExternalId(draft)
    if (prompter) {
      if (externalId !== undefined) this.#showTrust(await this.#trustPolicy(project, draft))
      while (!(await this.#passes(prompter, project, draft))) {
        const next = await afterFailure(prompter)
        if (next === 'save') break
        if (next === 'edit') {
          draft = await amend(draft, prompter)
          const made = await addExternalId(draft)
          if (made !== undefined) this.#showTrust(await this.#trustPolicy(project, draft))
          externalId = made ?? externalId
        }
      }
    }
    await saveConnection(project, editOf(draft))
    const trust = await this.#trustPolicy(project, draft)
    const result = {
      name,
      connector: reference,
      ...(draft.method ? { auth: draft.method.id } : {}),
      file: project.file,
      created: before === undefined,
      ...(externalId === undefined ? {} : { externalId }),
      ...(trust === undefined ? {} : { trust }),
    }
    prompter?.done('Saved.')
    this.#tell(result)
    // Somebody who was asked has seen it before the test, which can't pass without it.
    if (!prompter || externalId === undefined) this.#showTrust(trust)
    this.#next(name, connector)
    return result
  }

  /** Trust policy of a role, when the connection has one and can be opened far enough. */
  async #trustPolicy(project: Project, draft: Draft): Promise<unknown> {
    try {
      const { connector, config, authMethod, authFields } = await openDraft(project, editOf(draft), {
        secrets: 'optional',
      })
      return connector.policy?.({ config, authMethod, authFields }, {}).trust
    } catch {
      return undefined // a reference that can't be resolved here and now; `policy --trust` tells
    }
  }

  /** Whether it may be saved: it works, or nobody wants to know. */
  async #passes(prompter: Prompter, project: Project, draft: Draft): Promise<boolean> {
    if (!(await prompter.confirm({ message: 'Test the connection before it is saved?', initial: true })))
      return true
    try {
      const connection = await openDraft(project, editOf(draft))
      this.redactor.add(connection.secrets())
      const steps = await runCheck(connection, {
        signal: this.signal,
        onStep: (step) => {
          for (const line of stepLines(step, this.outStyle)) this.print(line)
        },
      })
      return steps.every(({ status }) => status !== 'failed')
    } catch (error) {
      if (this.signal.aborted) {
        this.notice('Nothing was saved.')
        throw error
      }
      const width = columnsOf(process.stdout)
      for (const line of errorLines(toConnectorError(error), this.outStyle, { width })) this.print(line)
      return false
    }
  }

  #tell(result: { name: string; file: string; created: boolean }): void {
    const { green, bold } = this.outStyle
    this.print(
      `${green('✔')} ${result.created ? 'Added' : 'Changed'} connection ${bold(result.name)} in ${relative(process.cwd(), result.file) || result.file}`,
    )
  }

  #showTrust(trust: unknown): void {
    if (trust === undefined) return
    this.print()
    this.print('Trust policy of the role, to paste into AWS (IAM, role, Trust relationships):')
    this.print()
    this.print(toJson(trust))
  }

  #next(name: string, connector: AnyConnector): void {
    this.print()
    this.print('Next:')
    const next = [
      ...(connector.policy ? [[`policy ${name}`, 'what the credentials must be allowed']] : []),
      [`check ${name}`, 'test it'],
      ...nextSteps(name, connector),
    ] as const
    const width = Math.max(...next.map(([command = '']) => command.length))
    for (const [command = '', purpose] of next)
      this.print(`  ${this.config.bin} ${command.padEnd(width)}  ${purpose}`)
  }
}

/** What to do with a connection whose test failed. */
const afterFailure = (prompter: Prompter): Promise<string> =>
  prompter.select({
    message: 'The test failed; nothing is saved yet.',
    choices: [
      { value: 'edit', label: 'Change an answer' },
      { value: 'again', label: 'Test again' },
      { value: 'save', label: 'Save anyway' },
    ],
  })

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
