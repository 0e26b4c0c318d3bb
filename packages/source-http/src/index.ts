export { type HttpAuthentication, httpAuthMethods } from './auth.ts'
export { config, type HttpConfig } from './config.ts'
export { type HttpConnectionInput, http, sourceHttp, sourceHttp as default } from './source.ts'
