export { testActions } from './actions/actions.ts'
export type { ActionRun, ActionsOptions } from './actions/options.ts'
export { testDestination } from './destination/destination.ts'
export type { DestinationOptions } from './destination/options.ts'
export { type FaultProxy, type ProxyFault, startFaultProxy } from './fault-proxy.ts'
export {
  type AnyFixture,
  defineFixture,
  type Fixture,
  type OptionsOf,
  suiteOf,
  withFixture,
} from './fixture.ts'
export type { ConformanceOptions } from './options.ts'
export type { SourceOptions } from './source/options.ts'
export { testSource } from './source/source.ts'
export {
  type Check,
  type CheckContext,
  type CheckResult,
  runSuite,
  type Scorecard,
  type Suite,
} from './suite.ts'
export type { ZeroCopyOptions } from './zero-copy/options.ts'
export { testZeroCopy } from './zero-copy/zero-copy.ts'
