export { config, type S3DestinationConfig } from './config.ts'
export {
  destinationS3,
  destinationS3 as default,
  type S3DestinationInput,
  s3Destination,
} from './destination.ts'
export { options, type S3ExportOptions, type S3ExportOptionsInput } from './options.ts'
