#!/usr/bin/env node
// The launcher, and the only place that ends the process.
import { existsSync } from 'node:fs'

const main = new URL('../dist/src/cli/main.js', import.meta.url)
if (!existsSync(main)) {
  process.stderr.write('vhostkit is not built. Run: sh bin/setup\n')
  process.exit(4)
}
const { runMain } = await import(main.href)
process.exit(await runMain(process.argv.slice(2)))
