import { actionFunction } from '@penstock/core'
import { apiCall as apiCallAction } from './actions/api-call.ts'
import { copy as copyAction, move as moveAction } from './actions/copy.ts'
import { createBucket as createBucketAction } from './actions/create-bucket.ts'
import { deleteAction } from './actions/delete.ts'
import { downloadFile as downloadFileAction } from './actions/download-file.ts'
import { head as headAction } from './actions/head.ts'
import { listFiles as listFilesAction, listFolders as listFoldersAction } from './actions/list.ts'
import { presign as presignAction } from './actions/presign.ts'
import { sync as syncAction } from './actions/sync.ts'
import { uploadFile as uploadFileAction } from './actions/upload-file.ts'

export { actionsS3, actionsS3 as default, type S3ActionsInput, s3Actions } from './actions-s3.ts'
export { config, type S3ActionContext, type S3ActionsConfig } from './config.ts'

// The actions as functions of a program: await uploadFile(context, { source: 'orders.csv', to: 's3://lake/in/' })
export const createBucket = actionFunction(createBucketAction)
export const downloadFile = actionFunction(downloadFileAction)
export const uploadFile = actionFunction(uploadFileAction)
export const listFiles = actionFunction(listFilesAction)
export const listFolders = actionFunction(listFoldersAction)
export const apiCall = actionFunction(apiCallAction)
export const deleteObjects = actionFunction(deleteAction)
export const copy = actionFunction(copyAction)
export const move = actionFunction(moveAction)
export const presign = actionFunction(presignAction)
export const head = actionFunction(headAction)
export const sync = actionFunction(syncAction)
