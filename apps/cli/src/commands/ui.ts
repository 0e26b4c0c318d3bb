import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { Flags } from '@penstock/command-kit'
import { ConnectorError } from '@penstock/core'
import { loadConnector } from '../lib/connectors.ts'
import { openEngine } from '../lib/engine.ts'
import { queryStaging, scanCache } from '../lib/in-place.ts'
import { knownConnectors } from '../lib/installed-connectors.ts'
import { ProjectCommand } from '../lib/project-command.ts'

/** Serves the web view of the project. */
export class Ui extends ProjectCommand {
  static override summary = 'Show the project in a browser: connections, tables, runs and their history.'
  static override description =
    'Serves a page on this machine alone until it is stopped. The printed address has a token in it: nobody else gets in. The page edits the same penstock.yaml as the commands do; runs that it started are cancelled when it is stopped. A folder without a project gets one.'
  static override examples = [
    { description: 'Open the page', command: '<%= config.bin %> ui' },
    {
      description: 'On a fixed port, without opening a browser',
      command: '<%= config.bin %> ui --port 8765 --no-open',
    },
  ]
  static override flags = {
    port: Flags.string({ description: 'Port (default: a free one).', helpValue: 'N' }),
    open: Flags.boolean({
      description: 'Open the page in the browser (default: on a desktop).',
      allowNo: true,
    }),
  }

  async run(): Promise<void> {
    const { flags } = await this.parse(Ui)
    const port = portOf(flags.port)
    const project = await this.openOrStartProject(flags.project)
    const { startUi } = await import('@penstock/ui')
    const { version, commandIDs: commandIds } = this.config
    const ui = await startUi({
      port,
      version,
      file: project.file,
      loadConnector,
      knownConnectors: (folder) => knownConnectors(folder, { version, commandIds }),
      openEngine,
      inPlace: { stagingFolder: queryStaging({}), cache: scanCache(undefined) },
      redact: (value) => this.redactor.value(value),
      addSecrets: (secrets) => this.redactor.add(secrets),
    })
    try {
      if (this.jsonEnabled()) process.stdout.write(`${JSON.stringify({ url: ui.url, file: project.file })}\n`)
      this.print(`${this.outStyle.bold('Web view')} of ${project.file}. Ctrl-C ends it.`)
      this.print()
      this.print(`  ${ui.url}`)
      if (flags.open ?? (this.interactive && hasDesktop())) openBrowser(ui.openUrl())
      // Ctrl-C is the way to end this command, so it is no failure.
      if (!this.signal.aborted) await once(this.signal, 'abort')
    } finally {
      await ui.close()
    }
  }
}

const portOf = (text: string | undefined): number | undefined => {
  if (text === undefined) return undefined
  if (/^\d+$/.test(text) && Number(text) <= 65_535) return Number(text)
  throw new ConnectorError('config', '--port must be a whole number from 0 to 65535.', { code: 'Usage' })
}

const hasDesktop = (): boolean =>
  process.platform !== 'linux' || Boolean(process.env.DISPLAY || process.env.WAYLAND_DISPLAY)

/** Opens the address with what the desktop has for that. Where that fails, the address is on the terminal. */
const openBrowser = (url: string): void => {
  const [program, ...args] =
    process.platform === 'darwin'
      ? (['open', url] as const)
      : process.platform === 'win32'
        ? (['rundll32', 'url.dll,FileProtocolHandler', url] as const)
        : (['xdg-open', url] as const)
  const child = spawn(program, args, { stdio: 'ignore', detached: true })
  child.on('error', () => {})
  child.unref()
}
