import { dirname } from 'node:path'
import type { Artifacts } from '../core/render/artifacts.js'
import type { Live } from '../core/steps/steps.js'
import { readPool } from './host/hugepages.js'
import { readMachineFiles } from './host/machine-files.js'
import { readTaps } from './host/taps.js'
import { readMachine } from './machines.js'
import { readLiveDhcp } from './network/dhcp.js'
import { readLiveNat } from './network/nat.js'
import { readPortsIfAny, toPortRequest } from './switch/ports.js'
import { readSwitch, readSwitchArguments } from './switch/process.js'

/**
 * Reads what exists now of the given artifacts: the machines wanted and those
 * applied earlier, and every port and tap of the run folder, of other deployments too.
 */
export async function readLive(
  wanted: Artifacts,
  applied: Artifacts | null,
  reserved: Live['reserved'],
): Promise<Live> {
  const all = applied === null ? [wanted] : [wanted, applied]
  const machines = distinctBy(
    all.flatMap((artifacts) => artifacts.machines),
    ({ name }) => name,
  )
  const [switchLive, ports, taps, hugepages, machinesLive, files, dhcp, nat] = await Promise.all([
    readSwitchLive(wanted.switch.control),
    readPortsIfAny(wanted.switch.control),
    all.every(({ taps }) => taps.length === 0) ? [] : readTaps(dirname(wanted.switch.control)),
    readPools(all, reserved),
    Promise.all(machines.map(readMachine)),
    readMachineFiles(all.flatMap((artifacts) => artifacts.machines)),
    readLiveDhcp(
      distinctBy(
        all.flatMap((artifacts) => artifacts.dhcp ?? []),
        ({ folder }) => folder,
      ),
    ),
    readLiveNat(
      distinctBy(
        all.flatMap((artifacts) => artifacts.nat ?? []),
        ({ table }) => table,
      ),
    ),
  ])
  return {
    switch: switchLive,
    hugepages,
    taps,
    dhcp,
    nat,
    ports: (ports ?? []).map(toPortRequest),
    machines: machinesLive,
    files,
    reserved,
  }
}

async function readSwitchLive(control: string): Promise<Live['switch']> {
  const info = await readSwitch(control)
  if (info === null) return null
  const { pid, supervisor_pid: supervisorPid, service } = info
  return { pid, supervisorPid, service: service !== null, argv: await readSwitchArguments(info) }
}

async function readPools(all: Artifacts[], reserved: Live['reserved']): Promise<Live['hugepages']> {
  const pools = [...all.flatMap(({ hugepages }) => hugepages), ...reserved]
  const keys = new Map(pools.map(({ node, pageBytes }) => [`${node}/${pageBytes}`, { node, pageBytes }]))
  return Promise.all(
    [...keys.values()].map(async (key) => {
      const { total, free, promised } = await readPool(key.node, key.pageBytes)
      return { ...key, total, free: Math.max(0, free - promised) }
    }),
  )
}

/** What was applied counts more than what is wanted. */
function distinctBy<Kind>(all: Kind[], keyOf: (one: Kind) => string): Kind[] {
  return [...new Map(all.map((one) => [keyOf(one), one])).values()]
}
