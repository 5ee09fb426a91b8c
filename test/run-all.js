/**
 * `npm test`: every test there is, on a machine where nothing is set up yet.
 * Plain JavaScript without packages, since it runs before they are there.
 * A failing section does not keep the next from running.
 */
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const scratch = mkdtempSync(join(tmpdir(), 'vhostkit-test-'))
const bin = (name) => join('node_modules', '.bin', name)

/** `counts` reads passed, failed and skipped; without it the section is one test. Limits are far above the usual times. */
const sections = [
  { name: 'set-up', argv: ['sh', 'bin/setup'], limitSeconds: 900, needed: true },
  { name: 'format and lint', argv: [bin('biome'), 'check', '--error-on-warnings', '.'], limitSeconds: 60 },
  { name: 'types', argv: [bin('tsc'), '-p', 'tsconfig.json'], limitSeconds: 120 },
  { name: 'unit and golden', ...mocha('.mocharc.unit.json'), limitSeconds: 120 },
  { name: 'native', argv: ['native/test/run'], counts: countsOfOutput, limitSeconds: 900 },
  { name: 'system', ...mocha('.mocharc.system.json'), limitSeconds: 2100 },
]

let interrupted = false
const total = { passed: 0, failed: 0, skipped: 0 }
for (const section of sections) {
  console.log(`\n=== ${section.name}`)
  const start = performance.now()
  const run = await runSection(section)
  const counts = section.counts?.(run) ?? { passed: run.ok ? 1 : 0, failed: run.ok ? 0 : 1, skipped: 0 }
  // A program that fails must show, whatever it says of itself.
  if (!run.ok && counts.failed === 0) counts.failed = 1
  for (const key of Object.keys(total)) total[key] += counts[key]
  const seconds = ((performance.now() - start) / 1000).toFixed(1)
  console.log(`=== ${section.name}: ${showCounts(counts)} (${seconds} s)${run.ok ? '' : ` ${run.end}`}`)
  if (interrupted || (section.needed && !run.ok)) break
}
rmSync(scratch, { recursive: true })
console.log(`\n${showCounts(total)}`)
process.exitCode = total.failed > 0 ? 1 : 0

function mocha(config) {
  const file = join(scratch, `${config}.json`)
  const reporter = ['--reporter', 'test/count-reporter.cjs', '--reporter-option', `counts=${file}`]
  return { argv: [bin('mocha'), '--config', config, ...reporter], counts: () => countsOfFile(file) }
}

/** Runs it in a process group of its own, so that nothing of it outlives its limit. */
function runSection({ argv: [program, ...args], limitSeconds }) {
  return new Promise((resolve) => {
    const child = spawn(program, args, { cwd: root, detached: true, stdio: ['ignore', 'pipe', 'inherit'] })
    let output = ''
    child.stdout.on('data', (chunk) => {
      process.stdout.write(chunk)
      output = (output + chunk).slice(-4096)
    })
    let late = false
    const timer = setTimeout(() => {
      late = true
      endGroup(child.pid, 'SIGKILL')
    }, limitSeconds * 1000)
    const interrupt = (signal) => {
      interrupted = true
      endGroup(child.pid, signal)
    }
    process.on('SIGINT', interrupt).on('SIGTERM', interrupt)
    const finish = (ok, end) => {
      clearTimeout(timer)
      process.off('SIGINT', interrupt).off('SIGTERM', interrupt)
      resolve({ ok, end: late ? `ended after its limit of ${limitSeconds} s` : end, output })
    }
    child.on('error', (error) => finish(false, error.message))
    child.on('close', (code, signal) => finish(code === 0, signal ?? `exit code ${code}`))
  })
}

function endGroup(pid, signal) {
  try {
    process.kill(-pid, signal)
  } catch (error) {
    if (error.code !== 'ESRCH') throw error
  }
}

function countsOfOutput({ output }) {
  const match = [...output.matchAll(/^(\d+) passed, (\d+) failed(?:, (\d+) skipped)?\s*$/gm)].at(-1)
  if (match === undefined) return { passed: 0, failed: 1, skipped: 0 }
  return { passed: Number(match[1]), failed: Number(match[2]), skipped: Number(match[3] ?? 0) }
}

function countsOfFile(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch {
    return { passed: 0, failed: 1, skipped: 0 }
  }
}

function showCounts({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`
}
