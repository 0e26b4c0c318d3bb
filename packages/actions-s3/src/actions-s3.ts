import { awsAuthMethods } from '@penstock/aws'
import { type Connection, type ConnectionInput, connect, defineActions } from '@penstock/core'
import { apiCall } from './actions/api-call.ts'
import { copy, move } from './actions/copy.ts'
import { createBucket } from './actions/create-bucket.ts'
import { deleteAction } from './actions/delete.ts'
import { downloadFile } from './actions/download-file.ts'
import { head } from './actions/head.ts'
import { listFiles, listFolders } from './actions/list.ts'
import { presign } from './actions/presign.ts'
import { sync } from './actions/sync.ts'
import { uploadFile } from './actions/upload-file.ts'
import { check } from './check.ts'
import { config } from './config.ts'
import { policiesOf } from './policy.ts'

/** Steps on S3, for workflows, command lines and programs. */
export const actionsS3 = defineActions({
  name: 'actions-s3',
  title: 'Amazon S3 actions',
  description: 'Buckets and objects: create, upload, download, list, copy, sync, presign, call the API',
  topic: 's3',
  config,
  auth: awsAuthMethods,
  environment: (variables) => {
    const region = variables.AWS_REGION || variables.AWS_DEFAULT_REGION
    const endpoint = variables.AWS_ENDPOINT_URL_S3 || variables.AWS_ENDPOINT_URL
    return {
      ...(region ? { region } : {}),
      ...(endpoint ? { endpoint } : {}),
      auth: { method: 'default-chain' },
    }
  },
  check,
  policy: policiesOf,
  actions: {
    'create-bucket': createBucket,
    'download-file': downloadFile,
    'upload-file': uploadFile,
    'list-files': listFiles,
    'list-folders': listFolders,
    'api-call': apiCall,
    delete: deleteAction,
    copy,
    move,
    presign,
    head,
    sync,
  },
})

export type S3ActionsInput = ConnectionInput<typeof actionsS3>

/** A connection for actions on S3. Throws `config` errors. */
export const s3Actions = (
  input: S3ActionsInput,
  options: { readonly name?: string } = {},
): Connection<typeof actionsS3> => connect(actionsS3, input, options)
