import { isIP } from 'node:net'
import { Flags, toJson } from '@penstock/command-kit'
import { ConnectorError } from '@penstock/core'
import { connectionArgument, ProjectCommand } from '../lib/project-command.ts'

/** Prints what has to be allowed on the other side. */
export class Policy extends ProjectCommand {
  static override summary = 'Print the least-privilege policy for a connection.'
  static override description =
    'Prints what the connection needs and nothing more, ready to paste: an IAM policy as JSON, for a database GRANTs. --trust prints the trust policy of the role instead: who may assume it, and with which external id. Nothing is called, and no secret is needed.'
  static override examples = [
    { description: 'What the credentials have to be allowed', command: '<%= config.bin %> policy lake' },
    { description: 'Who may assume the role', command: '<%= config.bin %> policy lake --trust' },
    {
      description: 'Only from one network',
      command: '<%= config.bin %> policy lake --source-ip 203.0.113.0/24',
    },
  ]
  static override args = { connection: connectionArgument }
  static override flags = {
    trust: Flags.boolean({ description: "Print the role's trust policy instead." }),
    'source-ip': Flags.string({
      description: 'Allow only from these addresses; repeatable.',
      helpValue: 'CIDR',
      multiple: true,
      multipleNonGreedy: true,
    }),
    action: Flags.string({
      description: 'Of an actions connection: only what this action needs; repeatable.',
      helpValue: 'NAME',
      multiple: true,
      multipleNonGreedy: true,
    }),
    'secure-transport': Flags.boolean({ description: 'Deny what does not come over TLS.' }),
  }

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(Policy)
    const sourceIps = flags['source-ip'] ?? []
    for (const cidr of sourceIps) checkCidr(cidr)
    const project = await this.openProject(flags.project)
    const connection = await this.openConnection(project, args.connection, { secrets: 'optional' })
    const { connector, config, authMethod, authFields } = connection
    if (!connector.policy)
      throw new ConnectorError('config', `The connector ${connector.name} has no policies to print.`)
    const documents = connector.policy(
      { config, authMethod, authFields },
      {
        ...(sourceIps.length > 0 ? { sourceIps } : {}),
        ...(flags.action === undefined ? {} : { actions: flags.action }),
        ...(flags['secure-transport'] ? { secureTransport: true } : {}),
      },
    )
    if (flags.trust && documents.trust === undefined)
      throw new ConnectorError(
        'config',
        `Connection "${args.connection}" assumes no role, so it needs no trust policy.`,
        {
          hint: `Its auth method is ${authMethod ?? 'none'}; a trust policy belongs to assumed-role.`,
        },
      )
    const document = flags.trust ? documents.trust : documents.policy
    this.print(typeof document === 'string' ? document.trimEnd() : toJson(document))
    if (!flags.trust && documents.trust !== undefined)
      this.notice(`\nThe trust policy of the role: ${this.config.bin} policy ${args.connection} --trust`)
    return documents
  }
}

const checkCidr = (cidr: string): void => {
  const [address = '', bits = '', rest] = cidr.split('/')
  const version = isIP(address)
  const limit = version === 6 ? 128 : 32
  if (
    version > 0 &&
    rest === undefined &&
    (bits === '' ? !cidr.includes('/') : /^\d+$/.test(bits)) &&
    Number(bits) <= limit
  )
    return
  throw new ConnectorError('config', '--source-ip takes an address or a CIDR block.', {
    code: 'Usage',
    hint: 'For example 203.0.113.7 or 203.0.113.0/24.',
  })
}
