import actionsS3 from '@penstock/actions-s3'
import { projectActionCommand } from '../../lib/action-command.ts'

export default projectActionCommand(actionsS3, 'create-bucket', ['s3:create-bucket'])
