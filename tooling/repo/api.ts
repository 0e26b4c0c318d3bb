import { existsSync, globSync } from 'node:fs'
import { join } from 'node:path'
import { writeApiReports } from './api-report.ts'

// Writes the API reports of all packages, or of those in the given folders. Needs a build.
const given = process.argv.slice(2)
const folders = given.length > 0 ? given : globSync(['packages/*', 'apps/*'])
for (const folder of folders.filter((path) => existsSync(join(path, 'package.json'))).sort()) {
  writeApiReports(join(process.cwd(), folder))
  console.log(folder)
}
