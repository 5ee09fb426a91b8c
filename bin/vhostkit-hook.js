#!/usr/bin/env node
// The launcher of hooks/qemu: loads only what a hook needs. Arguments: state folder, operation; the domain on stdin.
import { readFileSync } from 'node:fs'

const { runHook } = await import('../dist/src/hook/run-hook.js')
const [stateFolder = '', operation = ''] = process.argv.slice(2)
const { exitCode, line } = await runHook(operation, stateFolder, readFileSync(0, 'utf8'))
if (line !== '') process.stderr.write(`${line}\n`)
process.exit(exitCode)
