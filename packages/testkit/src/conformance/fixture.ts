import type {
  AnyActions,
  AnyConnector,
  AnyDestination,
  AnySource,
  AnyZeroCopy,
  MaybePromise,
} from '@penstock/core'
import { testActions } from './actions/actions.ts'
import type { ActionsOptions } from './actions/options.ts'
import { testDestination } from './destination/destination.ts'
import type { DestinationOptions } from './destination/options.ts'
import type { ConformanceOptions } from './options.ts'
import type { SourceOptions } from './source/options.ts'
import { testSource } from './source/source.ts'
import type { Suite } from './suite.ts'
import type { ZeroCopyOptions } from './zero-copy/options.ts'
import { testZeroCopy } from './zero-copy/zero-copy.ts'

/** What the suite of a connector's kind has to know. */
export type OptionsOf<Connector extends AnyConnector> = Connector extends AnySource
  ? SourceOptions<Connector>
  : Connector extends AnyDestination
    ? DestinationOptions<Connector>
    : Connector extends AnyZeroCopy
      ? ZeroCopyOptions<Connector>
      : Connector extends AnyActions
        ? ActionsOptions<Connector>
        : never

/** A connector with all that its suite needs: the default export of a package's fixture module. */
export interface Fixture<Connector extends AnyConnector = AnyConnector> {
  readonly connector: Connector
  /** Starts what the connector talks to. Called once for a run of the suite; `close` ends what was started. */
  readonly open: () => MaybePromise<
    OptionsOf<Connector> & { readonly close?: () => PromiseLike<void> | void }
  >
}

/** A fixture of any connector, as who runs it handles it. */
// biome-ignore lint/suspicious/noExplicitAny: variance: options of all connectors meet here
export type AnyFixture = Fixture<any>

/**
 * Says how a connector is tested. Its package names the module that exports this by default in its package.json,
 * `"penstock": { "harness": "./test/fixture.ts" }`; its tests run the same one by `describeFixture`.
 */
export const defineFixture = <Connector extends AnyConnector>(
  connector: Connector,
  open: Fixture<Connector>['open'],
): Fixture<Connector> => Object.freeze({ connector, open })

/** The suite of the connector's kind. */
export const suiteOf = (connector: AnyConnector, options: ConformanceOptions): Suite => {
  switch (connector.kind) {
    case 'source':
      return testSource(connector, options as SourceOptions)
    case 'destination':
      return testDestination(connector, options as DestinationOptions)
    case 'zero-copy':
      return testZeroCopy(connector, options as ZeroCopyOptions)
    case 'actions':
      return testActions(connector, options as ActionsOptions)
  }
}

/** Opens a fixture, gives its suite to `use`, and closes it however that ends. */
export const withFixture = async <Result>(
  fixture: AnyFixture,
  use: (suite: Suite) => Promise<Result>,
): Promise<Result> => {
  const { close, ...options } = await fixture.open()
  try {
    return await use(suiteOf(fixture.connector, options))
  } finally {
    await close?.()
  }
}
