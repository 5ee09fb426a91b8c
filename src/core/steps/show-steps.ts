import type { Step } from './steps.js'

/** The dry run: one numbered line for each step. */
export function showSteps(steps: Step[]): string {
  if (steps.length === 0) return 'Nothing to do: everything is as wanted.\n'
  const width = String(steps.length).length
  return steps.map(({ label }, index) => `${String(index + 1).padStart(width)}. ${label}\n`).join('')
}
