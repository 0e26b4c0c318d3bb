import { writeFile } from 'node:fs/promises'
import { projectSchema, schemaFile } from '../src/lib/project-schema.ts'

// Writes the JSON Schema of penstock.yaml for editors. A test says when it has to run again (then: pnpm fix).
await writeFile(schemaFile, `${JSON.stringify(await projectSchema(), null, 2)}\n`)
