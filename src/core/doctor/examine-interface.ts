import { interfaceMac } from '../spec/names.js'
import { attributeOf, find, type XmlElement } from '../xml/xml.js'
import type { DomainFacts, PortView } from './examine-domain.js'
import { type Finding, fine, problem } from './finding.js'
import { findObstacle, mayConnect, type PathStep } from './reach-path.js'

/** What is wrong with one vhost-user card; one line that all is well when nothing is. */
export function examineInterface(
  facts: DomainFacts,
  nics: XmlElement[],
  nic: XmlElement,
  index: number,
): Finding[] {
  const subject = `domain ${facts.name}, card ${index}`
  const socket = attributeOf(find(nic, 'source'), 'path') ?? ''
  const port = facts.ports?.find((one) => one.socket === socket)
  const found = [
    examineModel(subject, nic),
    examineMac(facts, subject, nics, nic, index),
    examineSocket(facts, subject, socket),
    examineSwitchWay(facts, subject, socket),
    examineMtu(facts, subject, nic, index, port),
    examinePeer(facts, subject, socket, port),
  ].filter((finding) => finding !== null)
  return found.length > 0 ? found : [fine(subject, port === undefined ? socket : `${port.state}, ${socket}`)]
}

function examineModel(subject: string, nic: XmlElement): Finding | null {
  const model = attributeOf(find(nic, 'model'), 'type')
  if (model !== null && /^virtio(-non-transitional|-transitional)?$/.test(model)) return null
  return problem(
    'model-not-virtio',
    subject,
    `its model is ${model ?? 'not given'}`,
    'Only virtio works over vhost-user: QEMU refuses to start.',
    "`virsh edit` it: <model type='virtio'/>",
  )
}

function examineMac(
  { others, name, uuid }: DomainFacts,
  subject: string,
  nics: XmlElement[],
  nic: XmlElement,
  index: number,
): Finding | null {
  const mac = macOf(nic)
  const before = nics.slice(0, index).findIndex((other) => macOf(other) === mac)
  const other = others.find((one) => one.mac === mac)
  if (mac === '' || (before < 0 && other === undefined)) return null
  const owner = before >= 0 ? `card ${before} of the same domain` : `a card of ${other?.domain}`
  const taken = new Set([...nics.map(macOf), ...others.map((one) => one.mac)])
  const edit = { interface: index, mac: interfaceMac('libvirt', uuid, index, taken) }
  return problem(
    'mac-duplicate-card',
    subject,
    `${mac} is also the MAC of ${owner}`,
    'The switch sends frames now to the one, now to the other.',
    `\`vhostkit doctor ${name} --fix\`, or give it another with \`virsh edit\``,
    { do: 'edit-domain', uuid, name, edit },
  )
}

function macOf(nic: XmlElement): string {
  return attributeOf(find(nic, 'mac'), 'address')?.toLowerCase() ?? ''
}

function examineSocket(
  { user, ways, machines }: DomainFacts,
  subject: string,
  socket: string,
): Finding | null {
  const steps = ways[socket]
  if (user === null || steps === undefined) return null
  const obstacle = findObstacle(steps, user)
  // The folder of a machine is made when it starts; nothing else on the way is.
  const ours = obstacle !== null && socket.startsWith(machines) && obstacle.path.startsWith(machines)
  if (obstacle === null || (obstacle.wants === 'exist' && ours)) return null
  const need = { pass: 'cannot pass', write: 'cannot make a socket in', exist: 'finds no folder' }
  const mended = ours && obstacle.wants === 'write'
  return problem(
    'socket-unreachable',
    subject,
    `QEMU, which runs as ${user.name}, ${need[obstacle.wants]} ${obstacle.path}`,
    'Its start fails with "Permission denied" or "No such file or directory".',
    obstacle.wants === 'write'
      ? `chown ${user.uid} ${obstacle.path}`
      : obstacle.wants === 'pass'
        ? `chmod o+x ${obstacle.path}`
        : `mkdir ${obstacle.path}`,
    mended ? { do: 'set-owner', path: obstacle.path, uid: user.uid, mode: 0o770 | setgidOf(steps) } : null,
  )
}

/** A folder that hands its group on to sockets goes on doing so. */
function setgidOf(steps: PathStep[]): number {
  return (steps.at(-1)?.owner?.mode ?? 0) & 0o2000
}

/** The other end of the socket: the switch passes the folders and writes to the socket. */
function examineSwitchWay(
  { switchUser, ways, sockets, machines }: DomainFacts,
  subject: string,
  socket: string,
): Finding | null {
  const steps = ways[socket]
  if (switchUser === null || steps === undefined) return null
  const who = `the switch, which runs as ${switchUser.name},`
  const why =
    'The card is there and never has a carrier: the switch gets "Permission denied", again and again.'
  const gid = switchUser.gids[0] ?? 0
  const obstacle = findObstacle(steps, switchUser, 'pass')
  if (obstacle !== null && obstacle.wants !== 'exist') {
    const last = obstacle.path === steps.at(-1)?.path
    const ours = last && obstacle.path.startsWith(machines)
    const repair = ours ? ({ do: 'set-group', path: obstacle.path, gid, mode: 0o2750 } as const) : null
    const fix = ours
      ? `chgrp ${gid} ${obstacle.path} && chmod 2750 ${obstacle.path}`
      : `chmod o+x ${obstacle.path}`
    return problem(
      'socket-closed-to-switch',
      subject,
      `${who} cannot pass ${obstacle.path}`,
      why,
      fix,
      repair,
    )
  }
  const owner = sockets[socket]
  if (obstacle !== null || owner === undefined || owner === null || mayConnect(switchUser, owner)) return null
  const fix = `chgrp ${gid} ${socket} && chmod g+w ${socket}`
  return problem('socket-closed-to-switch', subject, `${who} may not write to ${socket}`, why, fix)
}

/** Against what all others of its network have; where these differ among themselves nobody can be right. */
function examineMtu(
  { ports, name, uuid }: DomainFacts,
  subject: string,
  nic: XmlElement,
  index: number,
  port: PortView | undefined,
): Finding | null {
  const mtu = Number(attributeOf(find(nic, 'mtu'), 'size') ?? 1500)
  const peers = (ports ?? []).filter((one) => one.network === port?.network && one !== port)
  const [usual] = peers
  if (usual === undefined || peers.some((one) => one.mtu !== usual.mtu) || usual.mtu === mtu) return null
  return problem(
    'mtu-differs',
    subject,
    `its MTU is ${mtu}, that of network ${usual.network} ${usual.mtu}`,
    'Large frames are dropped: ping works, and transfers hang.',
    `\`vhostkit doctor ${name} --fix\`, then start it anew`,
    { do: 'edit-domain', uuid, name, edit: { interface: index, mtu: usual.mtu } },
  )
}

function examinePeer(
  { running, ports, name }: DomainFacts,
  subject: string,
  socket: string,
  port: PortView | undefined,
): Finding | null {
  if (!running || ports === null) return null
  if (port === undefined) {
    return problem(
      'port-missing',
      subject,
      `the switch has no port for ${socket}`,
      'The machine runs, and its frames go nowhere.',
      `\`vhostkit hooks status\`; then start ${name} anew, so that the hook registers it`,
    )
  }
  if (port.connects > 0) return null
  return problem(
    'backend-never-connected',
    subject,
    `the switch never reached ${socket}${port.last_error === null ? '' : `: ${port.last_error}`}`,
    'The guest has a card without a carrier, or its start still waits.',
    '`vhostkit switch status`, and look at the owner and mode of the socket',
  )
}
