import { join } from 'node:path'
import { VhostkitError } from '../../src/core/errors.js'
import { runProgram } from '../../src/world/run-program.js'
import { generatorCore, pinned, switchCore } from './pinned.js'

/** How long a cache line takes from the generator's core to the switch's, in nanoseconds. */
export async function measureCrossing(signal: AbortSignal): Promise<number> {
  const program = join(process.cwd(), 'native/build/bench/bench-crossing')
  const [file = '', ...args] = pinned(generatorCore, [program, `${switchCore}`])
  const result = await runProgram(file, args, { timeoutMs: 20_000, signal })
  signal.throwIfAborted()
  if (!result.ok) throw new VhostkitError('program-failed', { sentence: `${result.failure}.` })
  return (JSON.parse(result.stdout) as { ns: number }).ns
}

/** Within one mode of the machine it moves less than that, between two by 4 (NOTES.md). */
const oneMode = 1.6

export interface CrossingWatch {
  /** Each crossing that was measured. */
  seen: number[]
  /** How many times more something may be measured again. */
  spare: number
  repeated: number
}

/**
 * Measures some switches in turn, and all of them again when the host moved a core to another cache cluster
 * meanwhile: figures of two modes must not be compared. When nothing is spare any more, the last ones count.
 */
export async function measureInOneMode<T>(
  watch: CrossingWatch,
  cross: () => Promise<number>,
  measures: readonly (() => Promise<T>)[],
  say: (line: string) => void,
): Promise<T[]> {
  for (;;) {
    const crossings = [await cross()]
    const results: T[] = []
    for (const measure of measures) {
      results.push(await measure())
      crossings.push(await cross())
    }
    watch.seen.push(...crossings)
    const [least, most] = [Math.min(...crossings), Math.max(...crossings)]
    if (most <= least * oneMode || watch.spare === 0) return results
    watch.spare--
    watch.repeated++
    say(`a cache line took ${least} ns from core to core, then ${most}: measured again`)
  }
}
