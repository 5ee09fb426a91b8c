import { type Operation, withLock } from '../apply/operation.js'
import { memoryNodeOf, nodesOfWorkers, tellFarNodes } from '../core/doctor/far-nodes.js'
import { VhostkitError } from '../core/errors.js'
import { renderWords } from '../core/hotplug/domain-words.js'
import { type Attachment, planAttach } from '../core/hotplug/plan-attach.js'
import { addPort, makeFolder, startSwitch } from '../core/steps/make-step.js'
import { attachInterface, setMetadata } from '../core/steps/plug-steps.js'
import type { Action, Step } from '../core/steps/steps.js'
import type { XmlElement } from '../core/xml/xml.js'
import { readPortsIfAny } from '../drivers/switch/ports.js'
import type { PortInfo } from '../drivers/switch/protocol.js'
import { amendRecord } from '../hook/amend-record.js'
import { type HookSettings, readSettings } from '../hook/settings.js'
import { readNodes } from '../host/nodes.js'
import { readUplink } from '../host/uplink.js'
import { exists } from '../world/files.js'
import { carryOutSteps } from './carry-out.js'
import { readPlugDomain } from './read-domain.js'

export interface AttachInput {
  connect: string
  domain: string
  network: string
  mac: string | null
  queues: number
  /** null: that of the ports of the network, else 1500. */
  mtu: number | null
}

/** What `interface attach` did, or would do: the shape of its `--json` with `changed` and `steps` (labels). */
export interface Attached {
  domain: string
  mac: string
  network: string
  port: string
  socket: string
  queues: number
  mtu: number
  /** In the machine that runs; in the definition it starts from next. */
  live: boolean
  config: boolean
  /** What is not on one node, one sentence each. */
  notices: string[]
  steps: Step[]
}

/** The steps that give a domain one more card, without any of them done. */
export async function planAttachment(
  input: AttachInput,
  folders: Operation['folders'],
): Promise<Attached & { giveBack: Action[]; name: string; uuid: string }> {
  const domain = await readPlugDomain(input.connect, input.domain)
  const { target } = domain
  const settings = await readSettings(folders.state)
  const ports = domain.live === null ? null : await readPortsIfAny(`${folders.run}/switch.sock`)
  const mtu = input.mtu ?? mtuOf(ports ?? [], input.network)
  const planned = planAttach(domain.next, domain.live, { ...input, mtu, runFolder: folders.run })
  const refusals = [
    ...(settings === null
      ? [
          'No hook is installed, so nobody would take its port away at its end or register it at its next start: run `vhostkit hooks install` first.',
        ]
      : []),
    ...('refusals' in planned ? planned.refusals : []),
  ]
  if ('refusals' in planned || settings === null || refusals.length > 0) {
    throw new VhostkitError('domain-refused', {
      sentence: `${domain.name} cannot get a card. ${refusals.join(' ')}`,
      hint: 'See the reasons; nothing was changed.',
    })
  }
  const before = target.live ? await stepsBefore(planned, settings, ports) : []
  const { before: oldWords, after: newWords } = planned.words
  const steps = [
    ...before,
    setMetadata(target, oldWords === null ? null : renderWords(oldWords), renderWords(newWords)),
    attachInterface(target, planned.mac, planned.xml),
  ]
  const { name: port, socket, queues } = planned.port
  return {
    domain: domain.name,
    name: domain.name,
    uuid: target.uuid,
    mac: planned.mac,
    network: input.network,
    port,
    socket,
    queues,
    mtu,
    live: target.live,
    config: target.config,
    notices: await tellNodes(domain.live ?? domain.next, settings, input.network, ports),
    steps,
    giveBack: before
      .flatMap(({ undo }) => (undo === null || undo.do === 'stop-switch' ? [] : [undo]))
      .reverse(),
  }
}

/**
 * Gives a domain one more card: folder, switch and port first, since QEMU blocks until the
 * switch has connected; then the words about it, then the card. All of it or nothing.
 */
export async function attach(input: AttachInput, operation: Operation): Promise<Attached> {
  return withLock(operation, async () => {
    const { giveBack, name, uuid, ...attached } = await planAttachment(input, operation.folders)
    // Written before it is taken: whatever happens to us, the end of the domain gives it back.
    const { state } = operation.folders
    await amendRecord(state, { uuid, name }, (old) => [...giveBack, ...old])
    try {
      await carryOutSteps(attached.steps, operation)
    } catch (error) {
      await amendRecord(state, { uuid, name }, (old) => old.filter((action) => !isIn(giveBack, action)))
      throw error
    }
    return attached
  })
}

/** What must be there before QEMU gets the card. */
async function stepsBefore(
  { folder, port }: Attachment,
  settings: HookSettings,
  ports: PortInfo[] | null,
): Promise<Step[]> {
  const { argv, control } = settings.switch
  return [
    ...((await exists(folder)) ? [] : [makeFolder(folder, settings.uid)]),
    ...(ports === null ? [startSwitch(argv, control)] : []),
    addPort(control, port),
  ]
}

/** Frames of a network leave the host when the host has an address on it, which is a tap. */
async function tellNodes(
  domain: XmlElement,
  settings: HookSettings,
  network: string,
  ports: PortInfo[] | null,
): Promise<string[]> {
  const routed = ports?.some((port) => port.kind === 'tap' && port.network === network) ?? false
  return tellFarNodes({
    memoryNode: memoryNodeOf(domain),
    workerNodes: nodesOfWorkers(settings.switch.argv, await readNodes()),
    uplink: routed ? await readUplink() : null,
  })
}

function mtuOf(ports: PortInfo[], network: string): number {
  return ports.find((port) => port.network === network)?.mtu ?? 1500
}

export function isIn(actions: Action[], action: Action): boolean {
  return actions.some((other) => JSON.stringify(other) === JSON.stringify(action))
}
