import { describeFixture } from '@penstock/testkit/conformance/vitest'
import fixture from './fixture.ts'

await describeFixture(fixture)
