export { config, type S3SourceConfig } from './config.ts'
export { type Selection, type SelectionInput, selection } from './selection.ts'
export { type S3ConnectionInput, s3, sourceS3, sourceS3 as default } from './source.ts'
