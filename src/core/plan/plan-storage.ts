import { machineStore, variablesFile } from '../spec/names.js'
import type { MachineSpec } from '../spec/spec.js'
import type { Notes } from './notes.js'
import type { CloudInitPlan, FirmwarePlan, InterfacePlan, StoragePlan } from './plan.js'
import { diskTarget, planDisks } from './plan-disks.js'
import type { MachineSurroundings } from './plan-machine.js'

/** Disks, seed and firmware of a machine; null when it has none of them. */
export function planStorage(
  machine: MachineSpec,
  interfaces: InterfacePlan[],
  around: MachineSurroundings,
  notes: Notes,
): StoragePlan | null {
  const { spec, folders } = around
  if (machine.disks.length === 0 && machine.cloudInit === null && machine.firmware === 'bios') return null
  const folder = machineStore(folders.state, spec.name, machine.name)
  const disks = planDisks(machine, folder, around, notes)
  const virtio = disks.filter(({ bus }) => bus === 'virtio').length
  return {
    folder,
    disks,
    cloudInit: planCloudInit(machine, interfaces, diskTarget('virtio', virtio), around, notes),
    firmware: planFirmware(machine, folder, around, notes),
  }
}

function planCloudInit(
  machine: MachineSpec,
  interfaces: InterfacePlan[],
  target: string,
  { spec, facts }: MachineSurroundings,
  notes: Notes,
): CloudInitPlan | null {
  const { cloudInit, name } = machine
  if (cloudInit === null) return null
  if (!facts.makers.includes('xorriso')) {
    const path = ['machines', spec.machines.indexOf(machine), 'cloud-init']
    notes.refuse({
      code: 'maker-missing',
      path,
      expected: 'xorriso, which makes seeds',
      found: 'no such program',
    })
  }
  const hostname = cloudInit.hostname ?? name.replaceAll('_', '-').replace(/[-.]+$/, '')
  const network = cloudInit.network
    ? interfaces.map(({ mac, mtu }, index) => {
        const { addresses = [], gateway = null } = machine.interfaces[index] ?? {}
        return { mac, mtu, addresses, gateway }
      })
    : null
  const unaddressed = network?.filter(({ addresses }) => addresses.length === 0).length ?? 0
  notes.because(
    `machine ${name} seed`,
    'a read-only virtio disk',
    `Small cloud kernels have no driver for CDs.${unaddressed > 0 ? ' Interfaces without an address ask by DHCP.' : ''}`,
  )
  const { user, password, sshKeys, packages, dns, userData } = cloudInit
  return { hostname, user, password, sshKeys, packages, network, dns, userData, target }
}

function planFirmware(
  machine: MachineSpec,
  folder: string,
  { spec, facts }: MachineSurroundings,
  notes: Notes,
): FirmwarePlan | null {
  if (machine.firmware === 'bios') return null
  if (facts.uefi === null) {
    const path = ['machines', spec.machines.indexOf(machine), 'firmware']
    notes.refuse({ code: 'firmware-missing', path, expected: 'a UEFI firmware for q35', found: 'none' })
    return null
  }
  notes.because(
    `machine ${machine.name} firmware`,
    facts.uefi.code,
    'The first without Secure Boot that QEMU lists.',
  )
  return { code: facts.uefi.code, template: facts.uefi.variables, variables: variablesFile(folder) }
}
