import { type ParseArgsConfig, parseArgs } from 'node:util'
import { VhostkitError } from '../../src/core/errors.js'
import { type FrontendName, frontendNames } from './frontends/frontend.js'

/** Frames of one size between two guests: the sizes are chosen. */
export const sizedWorkloads = ['vm-vm', 'one-way'] as const
export const workloadNames = [
  ...sizedWorkloads,
  'tso',
  'checksums',
  'ports',
  'addresses',
  'latency',
  'quiet',
  'outage',
] as const
export type WorkloadName = (typeof workloadNames)[number]
const rivals = ['ovs', 'testpmd', 'kernel'] as const
export type RivalName = (typeof rivals)[number]

export interface BenchOptions {
  sizes: number[]
  runs: number
  rivals: RivalName[]
  workloads: WorkloadName[]
  frontends: FrontendName[]
  windowMs: number
  /** How often the switch is killed in the workload `outage`. */
  kills: number
  json: boolean
  /** Where an HTML page of the result is written. */
  report: string | null
  /** Another build of the switch, measured beside this one. */
  against: string | null
}

export const usage = `usage: npm run bench -- [options]

Measures the switch of this tree against others, in turn, on the same machine.

  --sizes LIST      bytes of a frame in vm-vm and one-way, 60 to 9000 (64,128,256,512,1024,1518,9000)
  --runs N          rounds; each figure is their median with min and max (5)
  --peers LIST      ${rivals.join(',')} or none: whom to measure beside vhostkit (all)
  --workloads LIST  all, or some of ${workloadNames.join(',')} (vm-vm)
  --full            the same as --workloads all
  --frontends LIST  ${frontendNames.join(',')}: who plays the guests (both)
  --seconds S       the window of one measurement, 0.05 to 60 (0.7)
  --kills N         how often the switch is killed in outage, 1 to 10000 (50)
  --against PATH    another vhostkit-switch, measured as "vhostkit-old"
  --report DIR      writes DIR/index.html: the result with its plots, in one file
  --json            one JSON object on stdout (its shape: native/bench/README.md)
  --help            this text
`

const known = {
  sizes: { type: 'string' },
  runs: { type: 'string' },
  peers: { type: 'string' },
  workloads: { type: 'string' },
  full: { type: 'boolean' },
  frontends: { type: 'string' },
  seconds: { type: 'string' },
  kills: { type: 'string' },
  against: { type: 'string' },
  report: { type: 'string' },
  json: { type: 'boolean' },
  help: { type: 'boolean' },
} as const

/** The options; null when help was asked for. */
export function parseOptions(words: string[]): BenchOptions | null {
  const values = parseWords(words, known)
  if (values.help === true) return null
  if (values.full === true && values.workloads !== undefined)
    throw wrong('--full and --workloads exclude each other')
  if (values.report === '') throw wrong('--report wants a folder; found ""')
  return {
    sizes: listOf('--sizes', values.sizes ?? '64,128,256,512,1024,1518,9000').map((word) =>
      numberIn('--sizes', word, 60, 9000, true),
    ),
    runs: numberIn('--runs', values.runs ?? '5', 1, 1000, true),
    rivals: values.peers === 'none' ? [] : namesIn('--peers', values.peers ?? rivals.join(), rivals),
    workloads: workloadsOf(values.full === true ? 'all' : (values.workloads ?? 'vm-vm')),
    frontends: namesIn('--frontends', values.frontends ?? frontendNames.join(), frontendNames),
    windowMs: 1000 * numberIn('--seconds', values.seconds ?? '0.7', 0.05, 60, false),
    kills: numberIn('--kills', values.kills ?? '50', 1, 10_000, true),
    json: values.json === true,
    report: values.report ?? null,
    against: values.against ?? null,
  }
}

/** What `npm run bench:start` is to do. */
export interface StartOptions {
  rounds: number
  json: boolean
}

export const startUsage = `usage: npm run bench:start -- [options]

Measures the CPU time of starting the hook launcher and the CLI, beside an empty Node, in turn.

  --rounds N        each figure is their median with min and max (20)
  --json            one JSON object on stdout (its shape: native/bench/README.md)
  --help            this text
`

/** The options of `start`; null when help was asked for. */
export function parseStartOptions(words: string[]): StartOptions | null {
  const { rounds, json, help } = parseWords(words, startKnown)
  if (help === true) return null
  return { rounds: numberIn('--rounds', rounds ?? '20', 1, 1000, true), json: json === true }
}

const startKnown = {
  rounds: { type: 'string' },
  json: { type: 'boolean' },
  help: { type: 'boolean' },
} as const

function parseWords<Known extends NonNullable<ParseArgsConfig['options']>>(words: string[], options: Known) {
  try {
    return parseArgs({ args: words, options, strict: true, allowPositionals: false }).values
  } catch (error) {
    throw wrong((error as Error).message.replace(/\.$/, ''))
  }
}

function workloadsOf(text: string): WorkloadName[] {
  return text === 'all' ? [...workloadNames] : namesIn('--workloads', text, workloadNames)
}

function wrong(sentence: string): VhostkitError {
  return new VhostkitError('usage', {
    sentence: `${sentence}.`,
    hint: 'With `-- --help` it lists its options.',
  })
}

function listOf(option: string, text: string): string[] {
  const words = text.split(',').map((word) => word.trim())
  if (words.includes('')) throw wrong(`${option} wants words with commas between; found "${text}"`)
  return [...new Set(words)]
}

function namesIn<T extends string>(option: string, text: string, allowed: readonly T[]): T[] {
  return listOf(option, text).map((word) => {
    const name = allowed.find((other) => other === word)
    if (name === undefined) throw wrong(`${option} wants some of ${allowed.join(', ')}; found "${word}"`)
    return name
  })
}

function numberIn(option: string, word: string, least: number, most: number, whole: boolean): number {
  const value = Number(word)
  const good = word !== '' && value >= least && value <= most && (!whole || Number.isInteger(value))
  if (!good)
    throw wrong(
      `${option} wants ${whole ? 'a whole number' : 'a number'} from ${least} to ${most}; found "${word}"`,
    )
  return value
}
