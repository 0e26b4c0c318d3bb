import { defineFixture } from '@penstock/testkit/conformance'
import { numbers } from '../connector.ts'

export default defineFixture(numbers(false), () => ({
  config: { count: 4 },
  skip: { 'read/memory': 'There is nothing to keep.' },
}))
