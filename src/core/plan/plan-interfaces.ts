import { interfaceMac, machinePort } from '../spec/names.js'
import type { CarrierPolicy, InterfaceSpec, MachineSpec, Spec } from '../spec/spec.js'
import type { Notes } from './notes.js'
import type { InterfacePlan, Plan, PortPolicy } from './plan.js'
import { planMirror } from './plan-mirror.js'
import { planRate } from './plan-rate.js'

/** QEMU's limit for vhost-user. While the switch is away frames wait in the rings, so long ones lose less. */
const queueSize = 1024

/** More queue pairs than this rarely carry more, and each costs memory in guest and switch. */
const mostQueuesByDefault = 4

/** The network cards of one machine. `taken` holds the MACs of the whole deployment and grows. */
export function planInterfaces(
  spec: Spec,
  machine: MachineSpec,
  folder: string,
  accel: Plan['accel'],
  taken: Set<string>,
  notes: Notes,
): InterfacePlan[] {
  return machine.interfaces.map((wanted, index) => {
    const subject = `machine ${machine.name} net${index}`
    const mac = wanted.mac ?? interfaceMac(spec.name, machine.name, index, taken)
    taken.add(mac)
    const network = spec.networks.find(({ name }) => name === wanted.network)
    const queues = planQueues(machine.cpus, wanted.queues, accel, subject, notes)
    return {
      index,
      network: wanted.network,
      port: machinePort(spec.name, machine.name, index),
      mac,
      socket: `${folder}/net${index}.sock`,
      queues,
      rxQueueSize: queueSize,
      txQueueSize: queueSize,
      mtu: network?.mtu ?? 1500,
      // QEMU 7.2 crashes under TCG when a guest starts a vhost-user card with MSI-X.
      vectors: accel === 'tcg' ? 0 : 2 * queues + 2,
      carrier: planCarrier(wanted.carrier, subject, notes),
      ...planPolicy(spec.name, wanted, mac, network?.link === true),
    }
  })
}

function planPolicy(
  deployment: string,
  wanted: InterfaceSpec,
  mac: string,
  link: boolean,
): { policy?: PortPolicy } {
  const { isolated, storm, vlan, antispoof } = wanted
  const policy: PortPolicy = {
    ...(isolated ? { isolated } : {}),
    ...(link ? { link } : {}),
    ...(storm === null ? {} : { storm }),
    ...(vlan === null ? {} : { vlan }),
    ...planRate(wanted),
    ...(antispoof === null ? {} : { macs: [mac] }),
    ...(antispoof === null || antispoof.length === 0 ? {} : { ipv4: antispoof }),
    ...planMirror(deployment, wanted.mirror),
  }
  return Object.keys(policy).length === 0 ? {} : { policy }
}

/**
 * A guest that sees its carrier go forgets its neighbours, and when its next ARP request meets
 * the gap it waits a second for the following one: 1.02 s of outage instead of 10 ms, measured.
 */
function planCarrier(wanted: CarrierPolicy, subject: string, notes: Notes): CarrierPolicy {
  const why =
    wanted === 'steady'
      ? 'A restart of the switch then costs milliseconds; a lost carrier costs Linux a second of ARP.'
      : 'The spec says so: the guest sees the link go down while the switch is away.'
  notes.because(`${subject} carrier`, wanted, why)
  return wanted
}

function planQueues(
  cpus: number,
  wanted: number | null,
  accel: Plan['accel'],
  subject: string,
  notes: Notes,
): number {
  if (wanted !== null) {
    const idle = wanted > cpus ? ` Only ${cpus} of them can work: the machine has no more vCPUs.` : ''
    notes.because(`${subject} queues`, String(wanted), `The spec says so.${idle}`)
    return wanted
  }
  if (accel === 'tcg') {
    notes.because(`${subject} queues`, '1', 'TCG gains nothing from several queues.')
    return 1
  }
  const queues = Math.min(cpus, mostQueuesByDefault)
  notes.because(`${subject} queues`, String(queues), `One for each vCPU, at most ${mostQueuesByDefault}.`)
  return queues
}
