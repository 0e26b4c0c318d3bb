export { config, type PostgresConfig } from './config.ts'
export {
  destinationPostgres,
  destinationPostgres as default,
  type PostgresDestinationInput,
  postgresDestination,
} from './destination.ts'
export { options, type PostgresExportOptions } from './options.ts'
