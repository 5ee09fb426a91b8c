import type { Artifacts } from '../render/artifacts.js'
import type { Changes } from './find-changes.js'
import {
  addPort,
  createTap,
  defineDomain,
  deletePort,
  deleteTap,
  makeFile,
  makeFolder,
  releaseHugepages,
  removeFile,
  removeFolder,
  reserveHugepages,
  setPolicy,
  startMachine,
  startSwitch,
  stopMachine,
  stopSwitch,
  undefineDomain,
} from './make-step.js'
import { deleteNat, setNat, startDhcp, stopDhcp } from './network-steps.js'
import type { Live, Step } from './steps.js'

/**
 * The changes in an order that works: what goes makes room first, from the
 * machines down; what comes is there before anybody needs it. Machines come
 * last and together, so that they may boot side by side.
 */
export function listSteps(changes: Changes, wanted: Artifacts, live: Live): Step[] {
  const { argv, control } = wanted.switch
  const machinePortsFirst = [...changes.deletePorts].sort(
    (a, b) => Number(a.kind === 'tap') - Number(b.kind === 'tap'),
  )
  const tapPortsFirst = [...changes.addPorts].sort(
    (a, b) => Number(b.kind === 'tap') - Number(a.kind === 'tap'),
  )
  return [
    ...changes.stopMachines.map(stopMachine),
    ...changes.stopDhcp.map(({ dhcp, remove }) => stopDhcp(dhcp, remove)),
    ...changes.deleteNat.map(deleteNat),
    ...changes.undefineDomains.map(({ machine, xml }) => undefineDomain(machine, xml)),
    ...changes.removeFolders.map(removeFolder),
    ...machinePortsFirst.map((port) => deletePort(control, port)),
    ...changes.deleteTaps.map(deleteTap),
    ...changes.release.map(releaseHugepages),
    ...changes.makeFolders.map(({ path, uid }) => makeFolder(path, uid)),
    ...changes.makeFiles.map(({ file, uid }) => makeFile(file, uid)),
    ...changes.reserve.map(({ need, atLeast }) => reserveHugepages(need, atLeast)),
    ...(changes.stopSwitch ? [stopSwitch(live.switch?.argv ?? null, control)] : []),
    ...(changes.startSwitch ? [startSwitch(argv, control)] : []),
    ...changes.createTaps.map(createTap),
    ...changes.setPolicies.map((change) => setPolicy(control, change)),
    ...tapPortsFirst.map((port) => addPort(control, port)),
    ...changes.startDhcp.map(({ dhcp, first }) => startDhcp(dhcp, first)),
    ...changes.setNat.map(({ nat, before }) => setNat(nat, before)),
    ...changes.defineDomains.map(({ machine, before }) => defineDomain(machine, before)),
    ...changes.startMachines.map(startMachine),
    ...changes.removeFiles.map(removeFile),
  ]
}
