export type { HostConnector, UiHost } from './server/host.ts'
export { type RunningUi, startUi, type UiOptions } from './server/start.ts'
