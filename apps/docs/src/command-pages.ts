import type { Command as Commands } from '@oclif/core'
import { code, fenced, page, plain, table } from './markdown.ts'
import type { Page } from './structure.ts'

type Command = Commands.Loadable

export interface WrittenPage extends Page {
  readonly content: string
}

/** A page for each command: usage, arguments, flags by group and examples, as `--help` has them. */
export const commandPages = (commands: readonly Command[], bin: string): readonly WrittenPage[] =>
  commands
    .filter(({ hidden }) => !hidden)
    .toSorted((a, b) => (a.id < b.id ? -1 : 1))
    .map((command) => {
      const name = command.id.replaceAll(':', ' ')
      return {
        text: name,
        link: `/reference/${command.id.replaceAll(':', '-')}`,
        content: commandPage(command, name, bin),
      }
    })

const commandPage = (command: Command, name: string, bin: string): string => {
  const fill = (text: string) =>
    text.replaceAll('<%= config.bin %>', bin).replaceAll('<%= command.id %>', name)
  const args = Object.values(command.args)
  const words = args.map((arg) => (arg.required ? arg.name.toUpperCase() : `[${arg.name.toUpperCase()}]`))
  const groups = Map.groupBy(
    Object.values(command.flags).filter(({ hidden }) => !hidden),
    (flag) => flag.helpGroup ?? '',
  )
  return page(
    `# ${bin} ${name}`,
    plain(fill(command.summary ?? firstLine(command.description) ?? '')),
    fenced('txt', [bin, name, ...words, '[FLAGS]'].join(' ')),
    command.summary && command.description ? plain(fill(command.description)) : '',
    args.length === 0 ? '' : '## Arguments',
    table(
      ['argument', 'meaning'],
      args.map((arg) => [code(arg.name.toUpperCase()), plain(arg.description ?? '')]),
    ),
    ...[...groups].flatMap(([group, flags]) => [
      `## ${group === '' ? 'Flags' : `Flags: ${group.toLowerCase()}`}`,
      table(['flag', 'meaning'], flags.map(flagRow)),
    ]),
    ...examplesOf(command, fill),
  )
}

const flagRow = (flag: Command['flags'][string]): string[] => {
  const short = flag.char ? `-${flag.char}, ` : ''
  const value = flag.type === 'option' ? ` ${flag.helpValue ?? flag.options?.join('|') ?? 'VALUE'}` : ''
  const facts = [
    plain(flag.summary ?? flag.description ?? ''),
    flag.type === 'option' && flag.options ? `One of ${flag.options.map(code).join(', ')}.` : '',
    flag.type === 'option' && flag.multiple ? 'Can be repeated.' : '',
    flag.type === 'option' && flag.default !== undefined && typeof flag.default !== 'function'
      ? `Default: ${code(String(flag.default))}.`
      : '',
    flag.required ? 'Required.' : '',
  ]
  return [code(`${short}--${flag.name}${value}`), facts.filter((fact) => fact !== '').join(' ')]
}

const examplesOf = (command: Command, fill: (text: string) => string): string[] => {
  const examples = command.examples ?? []
  if (examples.length === 0) return []
  return [
    '## Examples',
    ...examples.flatMap((example) =>
      typeof example === 'string'
        ? [fenced('sh', fill(example))]
        : [plain(fill(example.description)), fenced('sh', fill(example.command))],
    ),
  ]
}

const firstLine = (text: string | undefined) => text?.split('\n')[0]
