#!/usr/bin/env node
// The launcher of hooks/qemu. Arguments: state folder, operation; the domain on stdin. libvirt waits for every call, so
// all that a hook needs is one file (bin/bundle-hook.js) beside what V8 made of it; a Node with another V8 compiles anew.
const { existsSync, readFileSync } = require('node:fs')
const { join } = require('node:path')
const { Script } = require('node:vm')

const filename = join(__dirname, '../dist/hook/run-hook.cjs')
const code = join(__dirname, '../dist/hook/run-hook.code')
const script = new Script(readFileSync(filename, 'latin1'), {
  filename,
  cachedData: existsSync(code) ? readFileSync(code) : undefined,
})
const { runHook } = script.runInThisContext()(require)
const [stateFolder = '', operation = ''] = process.argv.slice(2)
runHook(operation, stateFolder, readFileSync(0, 'utf8')).then(({ exitCode, line }) => {
  if (line !== '') process.stderr.write(`${line}\n`)
  process.exit(exitCode)
})
