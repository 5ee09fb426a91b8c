import type { MachinePlan, Plan } from '../../plan/plan.js'
import { machineOwner } from '../../spec/names.js'
import { renderChannel } from './channel.js'
import { renderDisks } from './disks.js'
import { pflashOptions, renderFirmware } from './firmware.js'
import { renderInterface } from './interface.js'
import { renderMemory } from './memory.js'
import { renderOptions } from './options.js'

/** The command line of one machine; argv[0] is the program. */
export function renderQemuArgv(plan: Plan, machine: MachinePlan): string[] {
  const owner = machineOwner(plan.deployment, machine.name)
  return [
    plan.qemu,
    '-name',
    renderOptions(null, { guest: owner, process: `vhostkit-${owner}`, 'debug-threads': true }),
    '-uuid',
    machine.uuid,
    '-no-user-config',
    '-nodefaults',
    '-display',
    'none',
    '-sandbox',
    renderOptions('on', { obsolete: 'deny', elevateprivileges: 'deny', spawn: 'deny' }),
    '-machine',
    renderOptions('q35', { accel: plan.accel, ...pflashOptions(machine) }),
    '-cpu',
    plan.accel === 'kvm' ? 'host' : 'max',
    '-smp',
    renderSmp(machine),
    ...renderMemory(machine),
    ...renderFirmware(machine),
    ...renderBoot(machine),
    '-pidfile',
    machine.pidFile,
    '-qmp',
    renderOptions(`unix:${machine.qmpSocket.replaceAll(',', ',,')}`, { server: true, wait: false }),
    '-chardev',
    renderOptions('socket', {
      id: 'console',
      path: machine.consoleSocket,
      server: true,
      wait: false,
      logfile: machine.consoleLog,
    }),
    '-serial',
    'chardev:console',
    ...renderDisks(machine),
    ...machine.interfaces.flatMap(renderInterface),
    ...renderChannel(machine),
  ]
}

/** One socket for each guest node when the vCPUs divide, so that the guest's scheduler sees the nodes. */
function renderSmp({ cpus, memory }: MachinePlan): string {
  const sockets = memory.cells.length
  if (sockets === 1 || cpus % sockets !== 0) return renderOptions(null, { cpus })
  return renderOptions(null, { cpus, sockets, cores: cpus / sockets, threads: 1 })
}

function renderBoot({ boot }: MachinePlan): string[] {
  if (boot.kernel === '') return []
  const initrd = boot.initrd === '' ? [] : ['-initrd', boot.initrd]
  return ['-kernel', boot.kernel, ...initrd, '-append', boot.cmdline]
}
