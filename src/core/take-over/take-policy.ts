import type { PortMirror, PortPolicy, PortRate } from '../plan/plan.js'
import { machineOwner } from '../spec/names.js'
import { showSize } from '../spec/size.js'
import type { Taking } from './take-over.js'

/** What a port of ours may do, back in the words of a spec. */
export function takePolicy(taking: Taking, policy: PortPolicy, called: string): Record<string, unknown> {
  const { isolated, storm, vlan, rate, macs, ipv4, mirror } = policy
  const access = vlan !== undefined && 'tag' in vlan ? vlan.tag : vlan
  return {
    ...(isolated === true ? { isolated } : {}),
    ...(storm === undefined ? {} : { storm }),
    ...(access === undefined ? {} : { vlan: access }),
    ...(rate === undefined ? {} : { bandwidth: takeRate(rate) }),
    ...(macs === undefined ? {} : { antispoof: ipv4 ?? true }),
    ...(mirror === undefined ? {} : takeMirror(taking, mirror, called)),
  }
}

/** The guest's inbound is what the switch sends to the port: tx. */
function takeRate({ rx, tx }: NonNullable<PortPolicy['rate']>): Record<string, unknown> {
  return {
    ...(tx === undefined ? {} : { inbound: inKilobytes(tx) }),
    ...(rx === undefined ? {} : { outbound: inKilobytes(rx) }),
  }
}

function inKilobytes({ bytes, peak, burst, frames }: PortRate): Record<string, number> {
  return {
    ...(bytes === undefined ? {} : { average: bytes / 1000 }),
    ...(peak === undefined ? {} : { peak: peak / 1000 }),
    ...(burst === undefined ? {} : { burst: burst / 1024 }),
    ...(frames === undefined ? {} : { packets: frames }),
  }
}

const directions = { tx: 'inbound', rx: 'outbound', both: 'both' } as const

/** The port of another machine of the deployment, by the name that its port begins with. */
function takeMirror(
  { mark, machines, leave }: Taking,
  mirror: PortMirror,
  called: string,
): Record<string, unknown> {
  const direction = directions[mirror.direction]
  if (!('to' in mirror)) {
    const { file, snaplen, limit } = mirror
    return {
      mirror: { file, ...(snaplen === undefined ? {} : { snaplen }), limit: showSize(limit), direction },
    }
  }
  const match = /^(.*)\.net(\d+)$/.exec(mirror.to)
  const deployment = mark?.deployment ?? ''
  const machine = machines.find((name) => machineOwner(deployment, name) === match?.[1])
  if (machine === undefined) {
    leave(`the mirror of ${called}`, `It goes to ${mirror.to}, which is no card of these machines.`)
    return {}
  }
  return { mirror: { to: match?.[2] === '0' ? machine : `${machine}/${match?.[2]}`, direction } }
}
