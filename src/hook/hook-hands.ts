import type { Action, Check } from '../core/steps/steps.js'
import type { DriverContext, Hands, Verdict } from '../drivers/driver.js'
import { checkHugepagesFree, releaseHugepages, reserveHugepages } from '../drivers/host/hugepages.js'
import { makeMachineFolder } from '../drivers/host/machine-folder.js'
import { askSwitch } from '../drivers/switch/client.js'
import { addPort, deletePort, readPortsIfAny } from '../drivers/switch/ports.js'
import { exists, removeFolder } from '../world/files.js'
import { withLimit } from '../world/wait-for.js'

/** A switch that answered a moment ago answers now, or has been stopped since. */
const answerLimitMs = 1_000

/**
 * The hands of a hook: only what it may do, so that all the rest, libvirt above all,
 * is not even loaded. A start of the switch is, when it is needed.
 */
export const hookHands: Hands = { perform, check }

async function perform(action: Action, context: DriverContext): Promise<void> {
  switch (action.do) {
    case 'make-folder':
      return makeMachineFolder(action.path, action.uid)
    case 'remove-folder':
      return removeFolder(action.path)
    case 'reserve-hugepages':
      return reserveHugepages(action, context)
    case 'release-hugepages':
      return releaseHugepages(action, context)
    case 'start-switch': {
      const { startSwitch } = await import('../drivers/switch/process.js')
      // libvirt may have shut us in: the unit stays as it is.
      await startSwitch(action.argv, action.control, context.signal, true)
      return
    }
    // Others may have found the switch meanwhile: one that was started stays.
    case 'stop-switch':
      return
    case 'add-port':
      return withLimit(
        'the switch to take a port',
        answerLimitMs,
        addPort(action.control, action.port),
        context.signal,
      )
    case 'delete-port': {
      const isGone = await deletePort(action.control, action.name, answerLimitMs)
      if (!isGone) throw new Error('the switch is off')
      return
    }
    default:
      throw new Error(`a hook does not do ${action.do}`)
  }
}

async function check(expected: Check): Promise<Verdict> {
  switch (expected.expect) {
    case 'folder':
      return {
        ok: (await exists(expected.path)) === expected.present,
        found: `folder ${expected.path} is not there`,
      }
    case 'hugepages-free':
      return checkHugepagesFree(expected.node, expected.pageBytes, expected.atLeast)
    case 'switch': {
      const info = await askSwitch(expected.control, 'switch.info', {}, 1_000).catch(() => null)
      return { ok: info !== null, found: 'the switch does not answer' }
    }
    case 'port': {
      const ports = (await readPortsIfAny(expected.control)) ?? []
      return {
        ok: ports.some(({ name }) => name === expected.name),
        found: `port ${expected.name} is not there`,
      }
    }
    default:
      return { ok: true, found: '' }
  }
}
