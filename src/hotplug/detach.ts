import { type Operation, withLock } from '../apply/operation.js'
import { VhostkitError } from '../core/errors.js'
import { type DomainWords, renderWords } from '../core/hotplug/domain-words.js'
import { planDetach } from '../core/hotplug/plan-detach.js'
import { deletePort } from '../core/steps/make-step.js'
import { detachInterface, removeSocket, setMetadata } from '../core/steps/plug-steps.js'
import type { Action, Step } from '../core/steps/steps.js'
import { readPortsIfAny, toPortRequest } from '../drivers/switch/ports.js'
import { amendRecord } from '../hook/amend-record.js'
import { carryOutSteps } from './carry-out.js'
import { readPlugDomain } from './read-domain.js'

export interface DetachInput {
  connect: string
  domain: string
  network: string
  mac: string | null
}

/** What `interface detach` did, or would do. */
export interface Detached {
  domain: string
  mac: string
  network: string
  port: string
  live: boolean
  config: boolean
  steps: Step[]
}

export async function planDetachment(
  input: DetachInput,
  { run }: Operation['folders'],
): Promise<Detached & { uuid: string }> {
  const { name, target, next, live } = await readPlugDomain(input.connect, input.domain)
  const planned = planDetach(next, live, { ...input, runFolder: run })
  if ('refusals' in planned) {
    throw new VhostkitError('not-found', {
      sentence: `${name}: ${planned.refusals.join(' ')}`,
      hint: 'See `virsh domiflist`, and the network in the metadata of the domain.',
    })
  }
  const { mac, xml, socket, words } = planned
  const control = `${run}/switch.sock`
  const port = (await readPortsIfAny(control))?.find((other) => other.name === planned.port)
  const running = { ...target, live: planned.isLive, config: false }
  const defined = { ...target, live: false, config: target.config && planned.isDefined }
  const steps = [
    // The guest may refuse to let go: then all the rest stays as it is.
    ...(running.live ? [detachInterface(running, mac, xml)] : []),
    ...(defined.config ? [detachInterface(defined, mac, xml)] : []),
    ...(words.before === null ? [] : [setMetadata(target, renderWords(words.before), text(words.after))]),
    ...(port === undefined ? [] : [deletePort(control, toPortRequest(port))]),
    removeSocket(socket),
  ]
  const result = { domain: name, uuid: target.uuid, mac, network: input.network, port: planned.port }
  return { ...result, live: running.live, config: defined.config, steps }
}

/** Takes a card away: out of the guest first, and only when it has let go, out of the switch. */
export async function detach(input: DetachInput, operation: Operation): Promise<Detached> {
  return withLock(operation, async () => {
    const { uuid, ...detached } = await planDetachment(input, operation.folders)
    await carryOutSteps(detached.steps, operation)
    const isItsPort = (action: Action) => action.do === 'delete-port' && action.name === detached.port
    await amendRecord(operation.folders.state, { uuid, name: detached.domain }, (old) =>
      old.filter((action) => !isItsPort(action)),
    )
    return detached
  })
}

function text(words: DomainWords | null): string | null {
  return words === null ? null : renderWords(words)
}
