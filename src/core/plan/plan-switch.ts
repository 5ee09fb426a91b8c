import type { Facts } from '../facts/facts.js'
import type { Spec } from '../spec/spec.js'
import type { Notes } from './notes.js'
import type { Folders, MemoryPlan, SwitchPlan } from './plan.js'
import { type PlannedCores, planCores } from './plan-switch-cores.js'

/** The switch program, its files, and the cores of its workers. */
export function planSwitch(
  spec: Spec,
  facts: Facts,
  folders: Folders,
  memories: ReadonlyMap<string, MemoryPlan>,
  kept: PlannedCores | null,
  notes: Notes,
): SwitchPlan {
  if (facts.switchPath === null) {
    const expected = 'the program vhostkit-switch'
    notes.refuse({ code: 'switch-missing', path: [], expected, found: 'no such program' })
  }
  return {
    program: facts.switchPath ?? '',
    control: `${folders.run}/switch.sock`,
    stateFile: `${folders.run}/switch-state.json`,
    log: `${folders.run}/switch.log`,
    ...planCores(spec, facts, memories, kept, notes),
    idle: spec.switch.idle,
  }
}
