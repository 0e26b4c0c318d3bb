import { generateAll } from './generated.ts'

// Writes a package of each kind for the compiler.
await generateAll()
