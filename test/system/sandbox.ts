import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { guestCmdline } from '../../src/demo/guest/cmdline.js'
import { makeGuest } from '../../src/demo/guest/guest.js'
import { testFolderPrefix } from './host-state.js'
import { type CliRun, startCli } from './run-cli.js'

/** A run folder, a state folder and a spec of a test's own. */
export interface Sandbox {
  base: string
  run: string
  state: string
  spec: string
  env: Record<string, string>
  /** Runs the tool and gives its JSON. */
  json(...args: string[]): Promise<{ exitCode: number | null; data: Record<string, unknown>; ms: number }>
  start(...args: string[]): CliRun
  writeSpec(text: string): string
  remove(): void
}

/** Two machines with the test guest and a host address, in folders that nobody else uses; `program` as of startCli. */
export async function makeSandbox(hugepages = 'preferred', program?: string[]): Promise<Sandbox> {
  const { kernel, initrd } = await makeGuest(process.cwd(), () => undefined, new AbortController().signal)
  const base = mkdtempSync(join(tmpdir(), testFolderPrefix.slice(1)))
  const run = join(base, 'run')
  const state = join(base, 'state')
  const env = { VHOSTKIT_RUN_DIR: run, VHOSTKIT_STATE_DIR: state }
  const writeSpec = (text: string) => {
    const path = join(base, 'spec.yaml')
    writeFileSync(path, text)
    return path
  }
  const boot = (more = '') => `{ kernel: ${kernel}, initrd: ${initrd}, cmdline: ${guestCmdline}${more} }`
  const spec = writeSpec(
    [
      'version: 1',
      'name: sandbox',
      `hugepages: ${hugepages}`,
      `boot: ${boot()}`,
      'networks: [{ name: lan, host: 192.168.78.1/24 }]',
      'machines:',
      `  - { name: one, memory: 128M, interfaces: [lan], boot: ${boot(' vhostkit.ip=192.168.78.11/24')} }`,
      '  - { name: two, memory: 128M, interfaces: [lan] }',
      '',
    ].join('\n'),
  )
  return {
    base,
    run,
    state,
    spec,
    env,
    writeSpec,
    json: async (...args) => {
      const { exitCode, stdout, stderr, ms } = await startCli([...args, '--json'], env, program).result
      if (stdout === '') throw new Error(`nothing on stdout; on stderr: ${stderr}`)
      return { exitCode, data: JSON.parse(stdout) as Record<string, unknown>, ms }
    },
    start: (...args) => startCli(args, env, program),
    remove: () => rmSync(base, { recursive: true, force: true }),
  }
}

/** Applies a spec, which must succeed; the steps that were taken. */
export async function applySpec(sandbox: Sandbox, spec: string): Promise<string[]> {
  const { exitCode, data } = await sandbox.json('apply', spec)
  assert.equal(exitCode, 0, JSON.stringify(data))
  return data.steps as string[]
}

/** The error object that `--json` prints. */
export function errorOf(data: Record<string, unknown>): { code: string; sentence: string; hint: string } {
  return data.error as { code: string; sentence: string; hint: string }
}
