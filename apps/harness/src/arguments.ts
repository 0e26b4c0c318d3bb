import { parseArgs } from 'node:util'
import { ConnectorError } from '@penstock/core'

export interface Arguments {
  /** Names of packages, or folders. */
  readonly packages: readonly string[]
  readonly fixture?: string
  /** Beginnings of ids of the checks that run; none: all. */
  readonly only: readonly string[]
  /** Folder for scorecards as JSON, HTML and SVG. */
  readonly out?: string
  readonly json: boolean
  readonly help: boolean
  readonly version: boolean
}

export const helpText = `Runs a connector through the conformance suite of its kind.

USAGE
  penstock-harness [PACKAGE...] [--out DIR] [--json] [--only ID...]

ARGUMENTS
  PACKAGE  Name of an installed package, or its folder. Default: this folder

OPTIONS
  --fixture FILE  Module that says how the connector is tested. Default: what
                  "penstock": { "harness": "./FILE" } of its package.json names
  --only ID       Run the checks whose id begins like this: read/, spec/titles.
                  Can be given more than once
  --out DIR       Write NAME.json, NAME.html and NAME.svg (a badge) into DIR
  --json          Print the scorecards as JSON, and nothing else
  --version       Print the version
  -h, --help      Print this

Without a fixture, what the definition alone says is checked, and all the rest
is shown as skipped.

EXIT CODES
  0  no check failed         2  wrong arguments or fixture
  7  a check failed          5  no such package or file
  1  a bug of the harness    130  cancelled

EXAMPLES
  penstock-harness .
  penstock-harness @acme/penstock-source-crm --out scorecards
  penstock-harness . --only read/ --only faults/`

/** Reads the command line. Throws `config` errors that name what is wrong. */
export const readArguments = (argv: readonly string[]): Arguments => {
  try {
    const { values, positionals } = parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        fixture: { type: 'string' },
        only: { type: 'string', multiple: true, default: [] },
        out: { type: 'string' },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
        version: { type: 'boolean', default: false },
      },
    })
    return { ...values, packages: positionals.length > 0 ? positionals : ['.'] }
  } catch (error) {
    throw new ConnectorError('config', (error as Error).message.split('. ')[0] ?? '', {
      code: 'Usage',
      hint: 'See penstock-harness --help.',
    })
  }
}
