import { writeFile } from 'node:fs/promises'
import { schemaFile, schemaText } from '../src/lib/project-schema.ts'

// Writes the JSON Schema of penstock.yaml for editors. A test says when it has to run again.
await writeFile(schemaFile, await schemaText())
