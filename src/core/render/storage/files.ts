import type { MachinePlan } from '../../plan/plan.js'
import type { FileArtifact } from '../artifacts.js'
import { renderSeed } from './seed.js'

/** The files of a machine that we make: its own disks, the variables of its firmware, its seed. */
export function renderFiles(machine: MachinePlan): FileArtifact[] {
  const { storage } = machine
  if (storage === undefined) return []
  const seed = renderSeed(machine)
  const { firmware } = storage
  return [
    ...storage.disks.flatMap(({ path, backing, make }): FileArtifact[] =>
      make === null ? [] : [{ kind: 'disk', path, backing, bytes: make.bytes }],
    ),
    ...(firmware === null
      ? []
      : [{ kind: 'variables' as const, path: firmware.variables, template: firmware.template }]),
    ...(seed === null ? [] : [{ kind: 'seed' as const, ...seed }]),
  ]
}
