import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { CliResult } from '../system/run-cli.js'
import { type Block, readBlocks } from './read-pages.js'

/** Commands that end when a person says so: what is pressed, as printf takes it, and every how many seconds. */
const attended: Record<string, { keys: string; every: number }> = {
  'vhostkit init': { keys: '\\r', every: 0.5 },
  'vhostkit top': { keys: 'q', every: 2 },
  'vhostkit top --sort drops': { keys: 'q', every: 2 },
  'vhostkit events': { keys: '\\003', every: 3 },
  'vhostkit ssh web': { keys: 'exit\\r', every: 2 },
}

/** Writes the specs and answers of a page that say how their file is called. */
export function writeFilesOf(page: string, folder: string): void {
  for (const { kind, lines } of readBlocks(page)) {
    const name = /^# ([a-z-]+\.yaml)$/.exec(lines[0] ?? '')?.[1]
    if (kind === 'yaml' && name !== undefined) writeFileSync(join(folder, name), lines.join('\n'))
  }
}

/** The commands of blocks for bash, as they stand; those that want a person get a terminal, and keys. */
export function scriptOf(blocks: Block[]): string {
  return blocks.flatMap(({ lines }) => lines.map(attend)).join('\n')
}

function attend(line: string): string {
  const command = line.replace(/\s+#.*$/, '')
  const person = attended[command]
  if (person === undefined) return line
  const presses = `while sleep ${person.every} && printf '${person.keys}'; do :; done`
  // exec, as Ctrl-C goes to every process of the terminal: a dash that waits for its command would end by it.
  return `{ trap '' PIPE; ${presses}; true; } 2>/dev/null | script -qec 'exec ${command}' /dev/null`
}

/** bash, which ends with the first command that fails and says on stderr which one it was. */
export const bash = ['bash', '-euxo', 'pipefail', '-c']

export function assertFollowed(page: string, { exitCode, stdout, stderr }: CliResult): void {
  assert.equal(exitCode, 0, `${page}:\n${stdout.slice(-2_000)}\n${stderr.slice(-3_000)}`)
}
