import { Command, Errors, Flags, type Interfaces } from '@oclif/core'
import type { ConnectorError } from '@penstock/core'
import { exitCodes } from './exit-codes.ts'
import { CommandFailure, errorFields, errorLines, failureOf } from './failure.ts'
import { type Interruption, listenForInterruption } from './interruption.ts'
import { toJson, tolerateClosedReader, writeOut } from './output.ts'
import { createProgress, type Progress } from './progress/progress.ts'
import { createRedactor } from './redaction.ts'
import { type Style, styleFor } from './text/style.ts'
import { renderTable, type TableColumn } from './text/table.ts'
import { columnsOf, printable, tableWidth } from './text/width.ts'
import { translateUsageError } from './usage-errors.ts'

/**
 * What all commands share: `--json` with errors as JSON too, exit codes by kind of error, Ctrl-C that stops cleanly,
 * secrets hidden in every output. Results go to stdout; progress, notices and errors to stderr.
 */
export abstract class BaseCommand extends Command {
  static override enableJsonFlag = true

  static override baseFlags: Interfaces.FlagInput = {
    quiet: Flags.boolean({
      char: 'q',
      description: 'No progress and no notices on stderr.',
      helpGroup: 'GLOBAL',
    }),
  }

  protected readonly redactor = createRedactor()
  #interruption: Interruption | undefined
  #progress: Progress | undefined

  /** Aborted at the first Ctrl-C. Pass it to everything that takes time. */
  protected get signal(): AbortSignal {
    this.#interruption ??= listenForInterruption((signal) => {
      this.#progress?.stop()
      const again = signal === 'SIGINT' ? ' Press Ctrl-C again to quit at once.' : ''
      this.#toStderr(`Stopping and cleaning up.${again}`)
    })
    return this.#interruption.signal
  }

  protected get quiet(): boolean {
    return this.argv.some((token) => token === '--quiet' || token === '-q')
  }

  protected get outStyle(): Style {
    return styleFor(process.stdout)
  }

  protected get errStyle(): Style {
    return styleFor(process.stderr)
  }

  /** True when a person sits at the keyboard: then commands may ask. */
  protected get interactive(): boolean {
    return Boolean(process.stdin.isTTY && process.stderr.isTTY) && !this.jsonEnabled() && !process.env.CI
  }

  protected override async init(): Promise<void> {
    await super.init()
    tolerateClosedReader(process.stdout)
    tolerateClosedReader(process.stderr)
    void this.signal
  }

  protected override async parse<
    F extends Interfaces.OutputFlags<Interfaces.FlagInput>,
    B extends Interfaces.OutputFlags<Interfaces.FlagInput>,
    A extends Interfaces.OutputArgs<Interfaces.ArgInput>,
  >(options?: Interfaces.Input<F, B, A>, argv = this.argv): Promise<Interfaces.ParserOutput<F, B, A>> {
    const given = options ?? (this.ctor as unknown as Interfaces.Input<F, B, A>)
    try {
      return await super.parse(given, argv)
    } catch (error) {
      this.parsed = true
      const flags = { ...given.baseFlags, ...given.flags, json: {} }
      throw translateUsageError(error, {
        command: `${this.config.bin} ${(this.id ?? '').replaceAll(':', ' ')}`.trim(),
        flags: flags as Record<string, { options?: readonly string[] }>,
        args: Object.keys(given.args ?? {}),
        argv,
      })
    }
  }

  /** Prints a line of the result, unless the result goes out as JSON. */
  protected print(text = ''): void {
    if (!this.jsonEnabled()) process.stdout.write(`${this.redactor.text(text)}\n`)
  }

  /** Prints a table of the result: it fits the terminal, and is whole where there is none. */
  protected printTable(columns: readonly TableColumn[], rows: readonly (readonly string[])[]): void {
    const width = tableWidth(process.stdout)
    const { lines, hiddenColumns } = renderTable(columns, rows, { width, header: this.outStyle.bold })
    for (const line of lines) this.print(line)
    if (hiddenColumns.length > 0) this.notice(`Not shown, too narrow: ${hiddenColumns.join(', ')}.`)
  }

  /** Writes a piece of a streamed result. False when nobody reads any more. */
  protected write(text: string): Promise<boolean> {
    return writeOut(process.stdout, this.redactor.text(text))
  }

  /** Tells the user something that is no result. */
  protected notice(message: string): void {
    if (this.quiet || this.jsonEnabled()) return
    if (this.#progress?.active()) this.#progress.line(message)
    else this.#toStderr(message)
  }

  /** Progress of a long step, on stderr: drawn on a terminal, quiet lines elsewhere. Stopped when the command ends. */
  protected startProgress(): Progress {
    this.#progress ??= createProgress({
      stream: process.stderr,
      style: this.errStyle,
      quiet: this.quiet,
      redact: (text) => this.redactor.text(text),
    })
    return this.#progress
  }

  protected override logJson(json: unknown): void {
    process.stdout.write(`${toJson(this.redactor.value(json))}\n`)
  }

  protected override toErrorJson(error: unknown): unknown {
    const failure = failureOf(error, this.#interruption?.signal)
    const result = error instanceof CommandFailure ? error.result : {}
    return { ...result, error: errorFields(failure) }
  }

  protected override async catch(error: Error): Promise<never> {
    if (error instanceof Errors.ExitError) throw error
    this.#progress?.stop()
    const failure = failureOf(error, this.#interruption?.signal)
    if (this.jsonEnabled()) this.logJson(this.toErrorJson(error))
    else if (!(error instanceof CommandFailure) || error.show) this.#printError(failure)
    throw new Errors.ExitError(exitCodes[failure.kind])
  }

  protected override async finally(error: Error | undefined): Promise<void> {
    this.#progress?.stop()
    this.#interruption?.dispose()
    await super.finally(error)
  }

  #printError(failure: ConnectorError): void {
    for (const line of errorLines(failure, this.errStyle, { width: columnsOf(process.stderr) }))
      this.#toStderr(line)
    if (process.env.PENSTOCK_DEBUG) this.#toStderr(debugText(failure))
  }

  #toStderr(text: string): void {
    process.stderr.write(`${this.redactor.text(text)}\n`)
  }
}

const debugText = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error)
  const stack = (error.stack ?? error.message).split('\n').map(printable).join('\n')
  return error.cause === undefined ? stack : `${stack}\ncaused by ${debugText(error.cause)}`
}
