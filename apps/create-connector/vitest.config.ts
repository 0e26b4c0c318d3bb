import { mergeConfig } from 'vitest/config'
import { packageProject } from '../../tooling/vitest/project.ts'
import { generateAll } from './scripts/generated.ts'

// The packages that the templates make are tested as they are, against the sources of the workspace.
await generateAll()

export default mergeConfig(packageProject(), {
  test: { include: ['.generated/*/test/**/*.test.ts'] },
})
