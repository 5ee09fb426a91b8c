import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runProgram } from '../../src/world/run-program.js'
import { alignColumns } from './columns.js'
import { median, type Spread, spreadOf } from './statistics.js'

const sample = 'test/golden/cases/libvirt-pair/domain-vm1.xml'

/** What starting something costs. */
export interface StartCost {
  what: string
  /** CPU time, user and system, children too. */
  cpu_ms: Spread
  /** How much more that is than an empty Node, by the medians. */
  beyond_node_ms: number
}

export interface StartResult {
  node: string
  rounds: number
  starts: StartCost[]
}

/** Starts what is started often, and an empty Node, in turn. */
export async function measureStart(rounds: number): Promise<StartResult> {
  const base = await mkdtemp(join(tmpdir(), 'vhostkit-start-'))
  try {
    return await measure(await commands(base), rounds)
  } finally {
    await rm(base, { recursive: true })
  }
}

/** What is measured, by what it is. */
async function commands(state: string): Promise<Record<string, string[]>> {
  const node = process.execPath
  const launcher = 'bin/vhostkit-hook.cjs'
  const folders = { run: '/run/vhostkit', state }
  const settings = { version: 1, folders, switch: { argv: [], control: join(state, 'none.sock') } }
  await writeFile(join(state, 'hooks.json'), JSON.stringify(settings))
  const words: Record<string, string> = { MACHINES: '/run/vhostkit/machines/', NODE: node, STATE: state }
  const template = await readFile('hooks/qemu', 'utf8')
  const dropIn = join(state, 'drop-in')
  await writeFile(
    dropIn,
    template.replace(/@([A-Z]+)@/g, (_, key: string) => words[key] ?? join(process.cwd(), launcher)),
  )
  return {
    'node -e 0': [node, '-e', '0'],
    'hook launcher': [node, launcher, state, 'started'],
    'hook, a domain of ours': ['sh', dropIn, 'pair.vm1', 'started'],
    'hook, an event that is none of ours': ['sh', dropIn, 'pair.vm1', 'stopped'],
    'vhostkit --version': [node, 'bin/vhostkit.js', '--version'],
    'vhostkit --help': [node, 'bin/vhostkit.js', '--help'],
  }
}

async function measure(all: Record<string, string[]>, rounds: number): Promise<StartResult> {
  const input = await readFile(sample, 'utf8')
  const times = new Map<string, number[]>(Object.keys(all).map((name) => [name, []]))
  for (let round = 0; round < rounds; round++) {
    for (const [name, argv] of Object.entries(all)) times.get(name)?.push(await cpuMs(argv, input))
  }
  const bare = median(times.get('node -e 0') ?? [])
  const starts = [...times].map(([what, values]): StartCost => {
    return { what, cpu_ms: spreadOf(values, 0), beyond_node_ms: Math.round(median(values) - bare) }
  })
  return { node: process.version, rounds, starts }
}

export function showStart({ node, rounds, starts }: StartResult): string {
  const rows = starts.map(({ what, cpu_ms: { median, min, max }, beyond_node_ms }) => {
    return [what, `${median} (${min}–${max})`, String(beyond_node_ms)]
  })
  const table = alignColumns([['start of', 'CPU ms', 'beyond node'], ...rows])
  return `Medians of ${rounds} rounds (min–max), Node ${node}.\n\n${table.join('\n')}\n`
}

/** As bash tells it: Node has no resource usage of one child. */
async function cpuMs(argv: string[], input: string): Promise<number> {
  const script = 'TIMEFORMAT="%3U %3S"; time "$@" >/dev/null 2>&1'
  const { ok, stderr, failure } = await runProgram('bash', ['-c', script, 'bash', ...argv], { input })
  if (!ok) throw new Error(`${argv.join(' ')}: ${failure}`)
  const [user = Number.NaN, system = Number.NaN] = stderr.trim().split(' ').map(Number)
  return (user + system) * 1000
}
