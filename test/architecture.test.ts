import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { rules, type SourceFile } from './architecture-rules.js'

/** For each rule a file that breaks it, so that no rule can pass by seeing nothing. */
const breaches: Record<string, SourceFile[]> = {
  'core reaches out for nothing': [
    { path: 'src/core/a.ts', text: "import { readFileSync } from 'node:fs'\n" },
    { path: 'src/core/a.ts', text: "import { createHash } from 'node:crypto'\n" },
    { path: 'src/core/plan/a.ts', text: "import { parse } from 'yaml'\n" },
    { path: 'src/core/a.ts', text: 'export const now = Date.now()\n' },
    { path: 'src/core/a.ts', text: 'export const run = process.env.XDG_RUNTIME_DIR\n' },
    { path: 'src/core/a.ts', text: 'export const luck = Math.random()\n' },
  ],
  'one library, one doorway': [
    { path: 'src/drivers/a.ts', text: "import { execa } from 'execa'\n" },
    { path: 'src/cli/a.ts', text: "const yaml = await import('yaml')\n" },
    { path: 'src/wizard/questions.ts', text: "import inquirer from 'inquirer'\n" },
    { path: 'src/drivers/a.ts', text: "export { XMLParser } from 'fast-xml-parser'\n" },
    { path: 'src/host/a.ts', text: "import { spawn } from 'node:child_process'\n" },
    { path: 'native/bench/a.ts', text: "import { execa } from 'execa'\n" },
  ],
  layers: [
    { path: 'src/core/a.ts', text: "import { readText } from '../world/files.js'\n" },
    { path: 'src/world/a.ts', text: "import { readFacts } from '../host/facts.js'\n" },
    { path: 'src/apply/a.ts', text: "import { main } from '../cli/main.js'\n" },
    { path: 'src/demo/a.ts', text: "import { main } from '../cli/main.js'\n" },
    { path: 'src/cli/a.ts', text: "import { rules } from '../../test/architecture-rules.js'\n" },
    { path: 'src/elsewhere/a.ts', text: '' },
    { path: 'native/bench/peers/a.ts', text: "import { apply } from '../../../src/apply/apply.js'\n" },
    { path: 'src/drivers/a.ts', text: "import { median } from '../../native/bench/statistics.js'\n" },
  ],
  'only cli prints': [
    { path: 'src/apply/a.ts', text: "console.log('done')\n" },
    { path: 'src/demo/a.ts', text: "process.stdout.write('done')\n" },
    { path: 'native/bench/a.ts', text: "console.log('done')\n" },
  ],
  'only bin ends the process': [{ path: 'src/cli/main.ts', text: 'process.exit(1)\n' }],
  'types are kept': [
    { path: 'src/a.ts', text: 'export function f(x: any) {}\n' },
    { path: 'src/a.ts', text: 'const x = y as any\n' },
    { path: 'src/a.ts', text: 'const x = new Map<string, any>()\n' },
    { path: 'src/a.ts', text: '// @ts-ignore\n' },
  ],
  'no shell': [{ path: 'src/world/a.ts', text: "spawn('ls', { shell: true })\n" }],
  'signals are for one process': [
    { path: 'src/demo/a.ts', text: "process.kill(pid, 'SIGKILL')\n" },
    { path: 'test/system/a.test.ts', text: "process.kill(running?.pid ?? 0, 'SIGKILL')\n" },
  ],
  'nothing left for later': [
    { path: 'src/a.ts', text: '// TODO: later\n' },
    { path: 'test/a.test.ts', text: "it.only('x', () => {})\n" },
  ],
  'small files': [{ path: 'src/a.ts', text: '\n'.repeat(251) }],
  'files are named by what they hold': [
    { path: 'src/utils.ts', text: '' },
    { path: 'src/PlanManager.ts', text: '' },
  ],
}

describe('architecture', () => {
  const files = ['src', 'test', 'native/bench'].flatMap(readTree)

  for (const { name, check } of rules) {
    it(name, () => {
      // The samples of breaches above would be found in this very file.
      const others = files.filter(({ path }) => !path.startsWith('test/architecture'))
      const all = others.flatMap((file) => check(file).map((what) => `${file.path}: ${what}`))
      assert.deepEqual(all, [])
    })

    it(`${name}: can fail`, () => {
      const samples = breaches[name] ?? []
      assert.ok(samples.length > 0)
      for (const sample of samples) assert.notDeepEqual(check(sample), [], sample.text)
    })
  }

  it('sees the files', () => {
    assert.ok(files.length > 60)
    assert.ok(files.some(({ path }) => path === 'src/core/errors.ts'))
    assert.ok(files.some(({ path }) => path === 'native/bench/peers/vhostkit.ts'))
  })

  it('main folders say in 30 lines what they are', () => {
    for (const folder of ['src/core', 'templates', 'hooks', 'test']) {
      assert.ok(existsSync(join(folder, 'README.md')), `${folder}/README.md is missing`)
    }
    const pages = [...listTree('src'), 'templates/README.md', 'hooks/README.md', 'test/README.md']
    for (const page of pages.filter((path) => path.endsWith('README.md'))) {
      const lines = readFileSync(page, 'utf8').split('\n').length - 1
      assert.ok(lines <= 30, `${page} has ${lines} lines`)
    }
  })
})

function readTree(folder: string): SourceFile[] {
  return listTree(folder)
    .filter((path) => path.endsWith('.ts'))
    .map((path) => ({ path, text: readFileSync(path, 'utf8') }))
}

function listTree(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((path) => join(folder, path))
    .sort()
}
