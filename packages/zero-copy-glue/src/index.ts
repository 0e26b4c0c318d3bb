export { config, type ZeroCopyConfig } from './config.ts'
export { glue, type ZeroCopyGlueInput, zeroCopyGlue, zeroCopyGlue as default } from './connector.ts'
