import { startService, token } from './service.ts'

/** The test service, for trying the connector by hand (`npm run service`), until Ctrl+C. */
const { url } = await startService()
console.log(`Acme is at ${url}. In a project that has this connector:

  export ACME_TOKEN=${token}
  penstock connect my-acme --connector @acme/package --set baseUrl=${url} --set 'token=\${env:ACME_TOKEN}'
`)
