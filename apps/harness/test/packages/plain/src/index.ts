import { numbers } from '../../connector.ts'

export default numbers(false)
