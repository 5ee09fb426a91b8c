import { type Finding, fine, note, problem } from '../../core/doctor/finding.js'
import type { UplinkFact } from '../../core/facts/facts.js'
import type { SwitchDifference } from '../../core/steps/switch-difference.js'
import type { PortInfo, SwitchInfo, WorkerInfo } from './protocol.js'

/** What the running switch says of itself; `wanted`: machines were applied that need it. */
export function examineSwitch(info: SwitchInfo | null, control: string, wanted = false): Finding {
  if (info === null) {
    return (wanted ? problem : note)(
      'switch-silent',
      'switch',
      `does not answer on ${control}`,
      wanted ? 'Machines of deployments wait for it: no frame moves.' : 'No frame moves.',
      '`vhostkit switch restart`: it starts one, and ends one that hangs or has lost its socket.',
    )
  }
  const what = `runs, pid ${info.pid}, ${info.starts === 1 ? 'never crashed' : `start ${info.starts}`}`
  if (info.supervisor_pid === 0) {
    return note(
      'switch-unsupervised',
      'switch',
      what,
      'Nobody starts it again after a crash.',
      'Restart it: `vhostkit switch restart`.',
    )
  }
  if (info.starts === 1) return fine('switch', what)
  return note(
    'switch-restarted',
    'switch',
    what,
    'It crashed or was killed before; machines reconnected by themselves.',
    'See its log beside the control socket.',
  )
}

/** A switch that was started otherwise than it was applied last. */
export function examineStart(differs: SwitchDifference | null): Finding[] {
  if (differs === null) return []
  return [
    note(
      'switch-otherwise',
      'switch',
      `runs with ${differs.found}, applied was ${differs.expected}`,
      'It keeps its user, cores and idle mode until it starts again.',
      '`vhostkit switch restart`: machines run on, and reconnect by themselves.',
    ),
  ]
}

/** Ports of the state file that the switch could not bring back, and ports of deployments that are gone. */
export function examineStray(lost: string[], orphans: string[]): Finding[] {
  const missing = lost.filter((name) => !orphans.includes(name))
  return [
    ...missing.map((name) =>
      problem(
        'port-lost',
        `port ${name}`,
        'lost: the switch could not add it again when it started',
        'No frame passes it; the log of the switch says why.',
        'Apply the spec again: it takes the place of the lost one.',
      ),
    ),
    ...orphans.map((name) =>
      note(
        'port-orphan',
        `port ${name}`,
        'of no deployment any more',
        'The switch was off when its deployment was destroyed, and remembered it.',
        '`vhostkit switch start` or the next `vhostkit apply` forgets it.',
      ),
    ),
  ]
}

/** What is silently wrong with a port. */
export function examinePort(port: PortInfo, workers: WorkerInfo[]): Finding {
  const subject = `port ${port.name}`
  const broken = port.rings.find((ring) => ring.broken !== null)
  if (broken !== undefined) {
    const what = `queue ${broken.index} was stopped: ${broken.broken}`
    return problem(
      'queue-broken',
      subject,
      what,
      'The guest broke a rule of virtio; its other queues go on.',
      'Restart the network card in the guest, or the machine.',
    )
  }
  if (port.last_error !== null && port.state !== 'up') {
    return problem(
      codeOfError(port.last_error),
      subject,
      `${port.state}, last error: ${port.last_error}`,
      'The machine has no network on it.',
      explainError(port.last_error),
    )
  }
  if (port.kind === 'vhost-user' && port.connects === 0) {
    return note(
      'never-connected',
      subject,
      'nobody ever connected',
      'Its machine does not run, or its socket cannot be reached.',
      `See whether ${port.socket} is there, and start the machine.`,
    )
  }
  if (port.kind === 'vhost-user' && port.state === 'connected') {
    return note(
      'guest-not-ready',
      subject,
      'connected, but its guest has not set the card up',
      'It still boots, or it has no virtio-net driver.',
      'Look at the console of the machine.',
    )
  }
  return examineMirror(subject, port) ?? examineNode(subject, port, workers)
}

/** A mirror that ended by itself is looked for in vain. */
function examineMirror(subject: string, { mirror }: PortInfo): Finding | null {
  if (mirror?.state === 'full') {
    return note(
      'mirror-full',
      subject,
      `its mirror is full: ${mirror.file}`,
      'Nothing more is written, as asked for.',
      'Move the file away and give the mirror another name, or a higher limit.',
    )
  }
  if (mirror?.state !== 'failed' && mirror?.state !== 'off') return null
  const why = mirror.why === undefined ? 'its file could not be made' : mirror.why
  return problem(
    'mirror-ended',
    subject,
    `its mirror has ended: ${why}`,
    'The port itself goes on; nobody writes its frames down.',
    'Make room in the folder of captures, then take the mirror out of the spec and put it in again.',
  )
}

function examineNode(subject: string, port: PortInfo, workers: WorkerInfo[]): Finding {
  const { node, remote, strays } = port.memory ?? { node: -1, remote: 0, strays: 0 }
  if (remote > 0) {
    const used = new Set(port.rings.map(({ worker }) => worker).filter((worker) => worker >= 0))
    const far = workers.find(({ id, node: at }) => used.has(id) && at >= 0 && at !== node)
    return problem(
      'node-mismatch',
      subject,
      `memory on node ${node}, ${remote} of ${port.queues} queues served from node ${far?.node ?? 'another'}`,
      'Each frame crosses the nodes.',
      `Give the switch a core of node ${node}: switch.cores or switch.spare-cores in the spec.`,
    )
  }
  if (strays > 0) {
    return problem(
      'ring-state-far',
      subject,
      `memory on node ${node}, ${strays} pages of its ring state on another`,
      'The node was full when they were to move there, so each burst crosses the nodes.',
      `Free memory of node ${node}, then restart the machine or the switch.`,
    )
  }
  // A tap is opened, not connected to.
  if (port.kind === 'tap') return fine(subject, port.state)
  return fine(subject, `${port.state}, connected ${port.connects === 1 ? 'once' : `${port.connects} times`}`)
}

function codeOfError(text: string): 'socket-refused' | 'features-refused' | 'port-failed' {
  if (/permission|EACCES/i.test(text)) return 'socket-refused'
  return /feature/i.test(text) ? 'features-refused' : 'port-failed'
}

function explainError(text: string): string {
  const code = codeOfError(text)
  if (code === 'socket-refused')
    return 'The switch may not open the socket: run both as one user, or give it the group of the socket.'
  if (code === 'features-refused') return 'Restart the machine: its features were agreed with another switch.'
  return 'See the log of the switch.'
}

/** Guests whose frames leave the host by a card of another node: networks with a tap are routed there. */
export function examineUplink(ports: PortInfo[], uplink: UplinkFact | null): Finding[] {
  if (uplink === null) return []
  const routed = new Set(ports.filter(({ kind }) => kind === 'tap').map(({ network }) => network))
  return ports
    .filter(({ kind, network }) => kind === 'vhost-user' && routed.has(network))
    .filter(({ memory }) => memory !== null && memory.node >= 0 && memory.node !== uplink.node)
    .map(({ name, memory }) =>
      note(
        'uplink-far',
        `port ${name}`,
        `memory on node ${memory?.node}, and ${uplink.name}, by which frames leave the host, on node ${uplink.node}`,
        'Frames that leave the host cross the nodes.',
        `Say \`node: ${uplink.node}\` for its machine, when most of its traffic leaves the host.`,
      ),
    )
}

/** Ports of one network with different MTUs: what the one sends, the other drops. */
export function examineMtus(ports: PortInfo[]): Finding[] {
  const networks = [...new Set(ports.map(({ network }) => network))]
  return networks.flatMap((network) => {
    const own = ports.filter((port) => port.network === network)
    const sizes = [...new Set(own.map(({ mtu }) => mtu))]
    if (sizes.length < 2) return []
    const what = own.map(({ name, mtu }) => `${name} ${mtu}`).join(', ')
    const why = 'Large frames are dropped on the way to the smaller ones: ping works, and transfers hang.'
    return [
      problem(
        'mtu-mixed',
        `network ${network}`,
        what,
        why,
        'Give the network one mtu in the spec, and apply it.',
      ),
    ]
  })
}
