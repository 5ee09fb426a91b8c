import { VhostkitError } from '../core/errors.js'
import type { Artifacts } from '../core/render/artifacts.js'
import { readMachine } from '../drivers/qemu/machine-state.js'
import { isAlive, sendSignal } from '../world/processes.js'
import { waitFor } from '../world/wait-for.js'
import { type BootedGuest, type DeployDemo, deployAndBoot } from './deployment.js'
import { hearsAgain } from './kill-switch.js'

const goneLimitMs = 5_000
const backLimitMs = 30_000

/**
 * Kills one machine and applies the spec again, which starts it, while the
 * other keeps probing it: the gap that the other saw is the answer.
 */
export async function restartMachine(
  artifacts: Artifacts,
  staying: BootedGuest,
  victim: BootedGuest,
  input: DeployDemo,
): Promise<number> {
  const { signal } = input.operation
  const stayingPid = await requirePid(artifacts, staying.name)
  const victimPid = await requirePid(artifacts, victim.name)
  victim.session.close()
  await staying.session.markProbe()
  sendSignal(victimPid, 'SIGKILL')
  // Asking before the old one is gone would get the answer of the dead.
  await waitFor(
    { what: `${victim.name} to be gone`, limitMs: goneLimitMs, everyMs: 20, signal },
    async () => {
      return !(await isAlive(victimPid))
    },
  )
  await deployAndBoot(input)
  await hearsAgain(staying.session, signal, backLimitMs)
  if ((await requirePid(artifacts, staying.name)) !== stayingPid) {
    throw new VhostkitError('demo-failed', { sentence: `${staying.name} was restarted too.` })
  }
  return (await staying.session.endProbe()).gapMs
}

async function requirePid(artifacts: Artifacts, name: string): Promise<number> {
  const machine = artifacts.machines.find((artifact) => artifact.name === name)
  const pid = machine === undefined ? 0 : (await readMachine(machine)).pid
  if (pid === 0) throw new VhostkitError('demo-failed', { sentence: `${name} does not run.` })
  return pid
}
