import { readNetworkSights } from '../apply/network-status.js'
import { readOrphans } from '../apply/orphan-ports.js'
import { readReceipts } from '../apply/receipt.js'
import { readMachines } from '../apply/status.js'
import { readSwitchDifference } from '../apply/switch-difference.js'
import { examineMachines } from '../core/doctor/examine-machines.js'
import { examineNetworks } from '../core/doctor/examine-networks.js'
import { examineTuning } from '../core/doctor/examine-tuning.js'
import { type Finding, problem } from '../core/doctor/finding.js'
import type { Facts, UplinkFact } from '../core/facts/facts.js'
import type { Folders } from '../core/plan/plan.js'
import { askSwitch } from '../drivers/switch/client.js'
import {
  examineMtus,
  examinePort,
  examineStart,
  examineStray,
  examineSwitch,
  examineUplink,
} from '../drivers/switch/examine-ports.js'
import { readPorts } from '../drivers/switch/ports.js'
import { peekSwitch } from '../drivers/switch/process.js'
import { switchControl } from '../drivers/switch/run-folder.js'
import { examineFacts } from '../host/examine-facts.js'
import { examineFolders } from '../host/examine-folders.js'
import { readTuning } from '../host/tuning.js'

/** All there is to say of this host, its switch and its deployments. */
export async function examineHost(facts: Facts, folders: Folders): Promise<Finding[]> {
  const { findings, workerCores } = await examineRunning(folders, facts.uplink ?? null)
  return [
    ...examineFacts(facts),
    ...examineTuning({ ...(await readTuning()), workerCores }),
    ...(await examineFolders(folders)),
    ...findings,
    ...(await examineReceipts(folders)),
    ...examineNetworks(await readSights(folders)),
  ]
}

async function examineRunning(
  folders: Folders,
  uplink: UplinkFact | null,
): Promise<{ findings: Finding[]; workerCores: number[] }> {
  const control = switchControl(folders)
  const info = await peekSwitch(control, 5_000)
  if (info === null) {
    const wanted = (await readReceipts(folders.state)).some(({ status }) => status === 'applied')
    return { findings: [examineSwitch(info, control, wanted)], workerCores: [] }
  }
  const [ports, { workers }, orphans] = await Promise.all([
    readPorts(control),
    askSwitch(control, 'worker.list'),
    readOrphans(folders),
  ])
  const known = ports.filter(({ name }) => !orphans.includes(name))
  const findings = [
    examineSwitch(info, control),
    ...examineStart(await readSwitchDifference(info, folders)),
    ...known.map((port) => examinePort(port, workers)),
    ...examineMtus(known),
    ...examineUplink(known, uplink),
    ...examineStray(info.lost, orphans),
  ]
  return { findings, workerCores: workers.map(({ core }) => core) }
}

async function readSights({ state }: Folders) {
  return (await Promise.all((await readReceipts(state)).map(readNetworkSights))).flat()
}

async function examineReceipts({ state }: Folders): Promise<Finding[]> {
  const receipts = await readReceipts(state)
  const findings = receipts.map(async (receipt): Promise<Finding[]> => {
    const { deployment, operation, status } = receipt
    if (status === 'applied') return examineMachines(deployment, await readMachines(receipt))
    if (status !== 'changing') return []
    return [
      problem(
        'deployment-unfinished',
        `deployment ${deployment}`,
        `"${operation}" did not end`,
        'It was killed, or a step of it failed: a part may be there.',
        `Apply its spec again, or \`vhostkit destroy ${deployment}\`.`,
      ),
    ]
  })
  return (await Promise.all(findings)).flat()
}
