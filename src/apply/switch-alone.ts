import type { Folders } from '../core/plan/plan.js'
import type { Artifacts } from '../core/render/artifacts.js'
import { renderAll } from '../core/render/render-all.js'
import type { Spec } from '../core/spec/spec.js'
import { readFacts } from '../host/facts.js'
import { makeFolder } from '../world/files.js'
import { requirePlan } from './prepare.js'
import { latestReceipt, readReceipts } from './receipt.js'

const noMachines: Spec = {
  version: 1,
  name: 'switch',
  driver: 'qemu',
  connect: null,
  networks: [],
  machines: [],
  switch: { cores: 'auto', spareCores: 'auto', idle: 'adaptive', user: null },
}

/** How the switch is started when nobody applies a spec: as it was last, else with the defaults. */
export async function planSwitchAlone(folders: Folders, builtSwitch: string): Promise<Artifacts['switch']> {
  await makeFolder(folders.run, 0o750)
  const latest = latestReceipt(await readReceipts(folders.state), folders.run)
  if (latest !== null) return latest.artifacts.switch
  return renderAll(requirePlan(noMachines, await readFacts(builtSwitch), folders, {})).switch
}

/** The same for another host, of which nothing is known: the switch finds its cores and nodes itself. */
export function plainSwitchArgv({ run }: Folders, program: string): string[] {
  const files = ['--control', `${run}/switch.sock`, '--state', `${run}/switch-state.json`]
  return [program, ...files, '--log', `${run}/switch.log`, '--monitor', '--idle', 'adaptive']
}
