import type { MachinePlan, Plan } from '../plan/plan.js'
import { sumHugepages } from '../plan/sum-hugepages.js'
import type { Artifacts, MachineArtifact } from './artifacts.js'
import { renderDomain } from './libvirt/domain.js'
import { renderDhcp } from './network/dnsmasq.js'
import { renderNat } from './network/nftables.js'
import { renderQemuArgv } from './qemu/argv.js'
import { renderFiles } from './storage/files.js'
import { renderSwitch } from './switch/switch.js'

/** The exact command lines and requests that carry the plan out. */
export function renderAll(plan: Plan): Artifacts {
  const { argv, ports } = renderSwitch(plan)
  const dhcp = plan.networks.flatMap((network) => renderDhcp(plan, network))
  const nat = plan.networks.flatMap((network) => renderNat(plan, network))
  const { user } = plan.switch
  const owner = user === undefined ? {} : { user }
  return {
    version: 1,
    deployment: plan.deployment,
    switch: { argv, control: plan.switch.control },
    hugepages: plan.hugepages,
    taps: plan.networks.flatMap(({ mtu, tap }) =>
      tap === null ? [] : [{ ifname: tap.ifname, mtu, addresses: tap.addresses, ...owner }],
    ),
    ...(dhcp.length === 0 ? {} : { dhcp }),
    ...(nat.length === 0 ? {} : { nat }),
    ports,
    machines: plan.machines.map((machine) => renderMachine(plan, machine)),
  }
}

function renderMachine(plan: Plan, machine: MachinePlan): MachineArtifact {
  const { name, folder, qmpSocket, consoleSocket, pidFile, log, hostCpus } = machine
  const { libvirt } = plan
  const { domain } = machine
  const files = renderFiles(machine)
  return {
    name,
    folder,
    argv: domain === undefined ? renderQemuArgv(plan, machine) : [],
    qmpSocket,
    consoleSocket,
    pidFile,
    log,
    ports: machine.interfaces.map(({ port }) => port),
    hugepages: sumHugepages([machine.memory], plan.hugepages[0]?.node ?? 0),
    hostCpus,
    ...(files.length === 0 ? {} : { files }),
    ...(libvirt === undefined || domain === undefined
      ? {}
      : {
          domain: {
            connect: libvirt.connect,
            name: domain.name,
            uuid: machine.uuid,
            xml: renderDomain(plan, machine),
            uid: libvirt.user?.uid ?? null,
          },
        }),
  }
}
