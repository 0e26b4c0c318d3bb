#!/usr/bin/env node
import { main } from '../src/main.ts'

// The harness straight from its sources: node --conditions=penstock:source apps/harness/bin/dev.ts
process.exit(await main(process.argv.slice(2), process))
