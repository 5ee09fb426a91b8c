import { VhostkitError } from '../../src/core/errors.js'
import type { Sample } from './session.js'

const attempts = 3

/**
 * Measures, and again when the switch told nothing of the window: on a crowded machine it may not have run
 * in it at all. What it never tells ends the bench; a figure is never made up, or left open in silence.
 */
export async function measureUntilTold(
  measure: () => Promise<Sample>,
  say: (line: string) => void,
): Promise<Sample> {
  for (let attempt = 1; ; attempt++) {
    const sample = await measure()
    if (sample.mpps > 0 && Number.isFinite(sample.cyclesPerFrame)) return sample
    const what = `${sample.peer}, ${sample.workload}, ${sample.size} bytes: no frames or no cycles in the window`
    if (attempt === attempts) {
      throw new VhostkitError('program-failed', {
        sentence: `${what}, ${attempts} times.`,
        hint: 'Measure when nothing else runs on the machine, or with a longer --seconds.',
      })
    }
    say(`${what}: it is measured again`)
  }
}
