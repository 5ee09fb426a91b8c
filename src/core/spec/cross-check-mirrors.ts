import type { Found, LooseInterface, LooseSpec } from './loose-spec.js'
import { readMirrorTarget } from './mirror-target.js'
import type { Complaint } from './problem.js'

/** A mirror's interface exists, and is there for it alone: it has no mirror itself. */
export function mirrorComplaints({ machines }: LooseSpec): Complaint[] {
  // A machine whose own name is wrong may be the one meant; its problem is enough.
  if (machines.some(({ name }) => name === null)) return []
  const find = (to: string): LooseInterface | undefined => {
    const { machine, index } = readMirrorTarget(to)
    return machines.find(({ name }) => name?.value === machine)?.interfaces[index]
  }
  return machines
    .flatMap(({ interfaces }) => interfaces)
    .flatMap((nic): Complaint[] => {
      const to = nic.mirror
      if (to === null || to.value === null) return []
      const target = find(to.value)
      const complain = (expected: string) => [complaint({ value: to.value ?? '', path: to.path }, expected)]
      if (target === undefined)
        return complain('an interface of a machine of this spec, such as vm3 or vm3/1')
      if (target === nic) return complain('another interface than its own')
      return target.mirror === null ? [] : complain('an interface without a mirror of its own')
    })
}

function complaint({ value, path }: Found<string>, expected: string): Complaint {
  return { code: 'mirror-shape', path, expected, found: JSON.stringify(value) }
}
