import { readMirrorTarget } from '../spec/mirror-target.js'
import { machinePort } from '../spec/names.js'
import type { MirrorSpec } from '../spec/spec.js'
import type { PortMirror, PortPolicy } from './plan.js'

const directions = { inbound: 'tx', outbound: 'rx', both: 'both' } as const

/** The guest's inbound is what the switch sends to the port: tx. */
export function planMirror(deployment: string, mirror: MirrorSpec | null): Pick<PortPolicy, 'mirror'> {
  return mirror === null ? {} : { mirror: portMirror(deployment, mirror) }
}

function portMirror(deployment: string, mirror: MirrorSpec): PortMirror {
  const direction = directions[mirror.direction]
  if ('to' in mirror) {
    const { machine, index } = readMirrorTarget(mirror.to)
    return { to: machinePort(deployment, machine, index), direction }
  }
  const { file, snaplen, limitBytes } = mirror
  return { file, direction, ...(snaplen === undefined ? {} : { snaplen }), limit: limitBytes }
}
