import { join } from 'node:path'
import { VhostkitError } from '../../src/core/errors.js'
import { runProgram } from '../../src/world/run-program.js'
import { generatorCore, pinned, switchCore } from './pinned.js'
import type { WakeFloor } from './result.js'
import { spreadOf } from './statistics.js'

export interface WakeRun {
  p50_us: number
  p99_us: number
  p999_us: number
}

const times = 1000

/** Wakes a thread that sleeps on the switch's core, from the generator's: what a wake-up costs at least. */
export async function measureWake(signal: AbortSignal): Promise<WakeRun> {
  const program = join(process.cwd(), 'native/build/bench/bench-wake')
  const [file = '', ...args] = pinned(generatorCore, [program, `${switchCore}`, `${times}`])
  const result = await runProgram(file, args, { timeoutMs: 20_000, signal })
  signal.throwIfAborted()
  if (!result.ok) throw new VhostkitError('program-failed', { sentence: `${result.failure}.` })
  return JSON.parse(result.stdout) as WakeRun
}

export function summariseWake(runs: readonly WakeRun[]): WakeFloor {
  const spread = (key: keyof WakeRun) =>
    spreadOf(
      runs.map((run) => run[key]),
      2,
    )
  return { runs: runs.length, p50_us: spread('p50_us'), p99_us: spread('p99_us'), p999_us: spread('p999_us') }
}
