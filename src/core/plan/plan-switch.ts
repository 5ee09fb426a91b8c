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
    ...planUser(spec, facts, notes),
  }
}

/** Who is who on the host, the start of the switch tells. */
function planUser({ switch: { user } }: Spec, { uid }: Facts, notes: Notes): Pick<SwitchPlan, 'user'> {
  if (user === null) return {}
  if (uid !== 0) {
    const expected = 'root, who may start the switch as another user'
    const hint = 'Apply it as root, or leave switch.user out.'
    notes.refuse({ code: 'not-permitted', path: ['switch', 'user'], expected, found: `uid ${uid}`, hint })
  }
  notes.because('switch user', user, 'The spec says so: sockets of machines are opened to its group.')
  return { user }
}
