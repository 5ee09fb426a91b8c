import type { DomainArtifact, MachineArtifact } from '../core/render/artifacts.js'
import type { Action, Check } from '../core/steps/steps.js'
import { exists, removeFolder } from '../world/files.js'
import type { Checkers, DriverContext, Hands, Performers, Verdict } from './driver.js'
import { checkHugepagesFree, releaseHugepages, reserveHugepages } from './host/hugepages.js'
import { makeMachineFile, removeMachineFile } from './host/machine-files.js'
import { makeMachineFolder, removeSocket } from './host/machine-folder.js'
import { createTap, deleteTap, readTaps } from './host/taps.js'
import { defineDomain, undefineDomain } from './libvirt/define-domain.js'
import { checkMetadata, setMetadata } from './libvirt/metadata.js'
import { attachInterface, checkInterface, detachInterface } from './libvirt/plug-interface.js'
import { checkDefinition } from './libvirt/read-domain.js'
import { startMachine, stopMachine } from './machines.js'
import { readDhcpPid, startDhcp, stopDhcp } from './network/dhcp.js'
import { deleteNat, isNatSet, readLiveNat, setNat } from './network/nat.js'
import { addPort, checkPolicy, deletePort, readPortsIfAny, setPolicy } from './switch/ports.js'
import { readSwitch, startSwitch, stopSwitch } from './switch/process.js'

/** The real hands of a run folder. `runs` tells whether a machine does: only its deployment knows its files. */
export function makeHands(runFolder: string, runs: (machine: string) => Promise<boolean>): Hands {
  const performers = makePerformers(runFolder)
  const checkers = makeCheckers(runFolder, runs)
  return {
    perform: (action: Action, context: DriverContext) => {
      const perform = performers[action.do] as (action: Action, context: DriverContext) => Promise<void>
      return perform(action, context)
    },
    check: (check: Check) => {
      const read = checkers[check.expect] as (check: Check) => Promise<Verdict>
      return read(check)
    },
  }
}

const makePerformers = (runFolder: string): Performers => ({
  'make-folder': ({ path, uid }) => makeMachineFolder(path, uid),
  'remove-folder': ({ path }) => removeFolder(path),
  'make-file': ({ file, uid }, { signal }) => makeMachineFile(file, uid, signal),
  'remove-file': ({ path }) => removeMachineFile(path),
  'reserve-hugepages': (action, context) => reserveHugepages(action, context),
  'release-hugepages': (action, context) => releaseHugepages(action, context),
  'start-switch': async ({ argv, control }, { signal }) => void (await startSwitch(argv, control, signal)),
  'stop-switch': async ({ control }) => void (await stopSwitch(control)),
  'create-tap': ({ tap }) => createTap(tap, runFolder),
  'delete-tap': ({ ifname }) => deleteTap(ifname, runFolder),
  'start-dhcp': ({ dhcp }, { signal }) => startDhcp(dhcp, signal),
  'stop-dhcp': ({ dhcp, remove }) => stopDhcp(dhcp, remove),
  'set-nat': ({ nat }) => setNat(nat),
  'delete-nat': ({ nat }) => deleteNat(nat),
  'add-port': ({ control, port }) => addPort(control, port),
  'delete-port': async ({ control, name }) => void (await deletePort(control, name)),
  'set-policy': ({ control, name, policy }) => setPolicy(control, name, policy),
  'define-domain': ({ machine }, { signal }) => defineDomain(domainOf(machine), signal),
  'undefine-domain': ({ machine }) => undefineDomain(domainOf(machine)),
  'start-machine': ({ machine }, { signal }) => startMachine(machine, signal),
  'stop-machine': ({ machine }, { graceMs, signal }) => stopMachine(machine, graceMs, signal),
  'attach-interface': ({ domain, xml }, { signal }) => attachInterface(domain, xml, signal),
  'detach-interface': ({ domain, xml }) => detachInterface(domain, xml),
  'set-metadata': ({ domain, xml }) => setMetadata(domain, xml),
  'remove-socket': ({ path }) => removeSocket(path),
})

function makeCheckers(runFolder: string, runs: (machine: string) => Promise<boolean>): Checkers {
  return {
    folder: async ({ path, present }) => verdict(await exists(path), present, `folder ${path}`),
    file: async ({ path, present }) => verdict(await exists(path), present, path),
    'hugepages-free': ({ node, pageBytes, atLeast }) => checkHugepagesFree(node, pageBytes, atLeast),
    switch: async ({ control, running }) =>
      verdict((await readSwitch(control)) !== null, running, 'the switch'),
    tap: async ({ ifname, present }) => {
      const taps = await readTaps(runFolder)
      return verdict(
        taps.some((tap) => tap.ifname === ifname),
        present,
        `tap ${ifname}`,
      )
    },
    port: async ({ control, name, present }) => {
      const ports = (await readPortsIfAny(control)) ?? []
      return verdict(
        ports.some((port) => port.name === name),
        present,
        `port ${name}`,
      )
    },
    dhcp: async ({ dhcp, running }) =>
      verdict((await readDhcpPid(dhcp)) !== null, running, `dnsmasq of ${dhcp.network}`),
    nat: async ({ nat, present }) => {
      const there = present ? await isNatSet(nat) : (await readLiveNat([nat])).length > 0
      return verdict(there, present, `table ip ${nat.table} with forwarding`)
    },
    policy: ({ control, port }) => checkPolicy(control, port),
    domain: ({ machine, xml }) => checkDefinition(domainOf(machine), xml),
    machine: async ({ name, running }) => verdict(await runs(name), running, `machine ${name}`),
    interface: ({ domain, mac, present }) => checkInterface(domain, mac, present),
    metadata: ({ domain, xml }) => checkMetadata(domain, xml),
    nothing: async () => ({ ok: true, found: '' }),
  }
}

function domainOf({ name, domain }: MachineArtifact): DomainArtifact {
  if (domain === undefined) throw new Error(`machine ${name} is no domain`)
  return domain
}

function verdict(there: boolean, wanted: boolean, what: string): Verdict {
  return { ok: there === wanted, found: `${what} is ${there ? '' : 'not '}there` }
}
