import { join } from 'node:path'
import { VhostkitError } from '../../src/core/errors.js'
import { runProgram } from '../../src/world/run-program.js'
import { playPages } from './frontends/ours.js'
import { pinned, switchCore } from './pinned.js'

export interface FloorRun {
  tscMhz: number
  /** Cycles of a plain copy, by size. */
  cycles: Map<number, number>
}

/** Hugepages that the copies of the largest size take; bench-floor holds two sets of buffers as guests have them. */
export function floorPages(largest: number): number {
  return playPages(2, largest)
}

/** Copies frames of each size over buffers laid out as the guests' are, on the switch's core. */
export async function measureFloor(
  sizes: readonly number[],
  ms: number,
  huge: boolean,
  signal: AbortSignal,
): Promise<FloorRun> {
  const program = join(process.cwd(), 'native/build/bench/bench-floor')
  const words = [program, ...(huge ? ['--huge'] : []), `${ms}`, ...sizes.map(String)]
  const [file = '', ...args] = pinned(switchCore, words)
  const result = await runProgram(file, args, { timeoutMs: 5_000 + sizes.length * ms * 4, signal })
  signal.throwIfAborted()
  if (!result.ok) throw new VhostkitError('program-failed', { sentence: `${result.failure}.` })
  return parseFloor(result.stdout)
}

export function parseFloor(text: string): FloorRun {
  const lines = text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, number>)
  const sizes = lines.filter((line) => line.size !== undefined)
  return {
    tscMhz: lines.find((line) => line.tsc_mhz !== undefined)?.tsc_mhz ?? Number.NaN,
    cycles: new Map(sizes.map(({ size = 0, cycles = 0 }) => [size, cycles])),
  }
}
