import type { HugepageNeed } from '../plan/plan.js'
import type { FileArtifact, MachineArtifact, PortRequest, TapArtifact } from '../render/artifacts.js'
import { showSize } from '../spec/size.js'
import type { PolicyChange } from './same-port.js'
import type { Step } from './steps.js'

/** Each kind of step with its label, its undo and its check. */

export function makeFolder(path: string, uid: number | null = null): Step {
  return {
    id: `make-folder ${path}`,
    label: `make folder ${path}`,
    action: { do: 'make-folder', path, ...(uid === null ? {} : { uid }) },
    undo: { do: 'remove-folder', path },
    verify: { expect: 'folder', path, present: true },
  }
}

export function removeFolder(path: string): Step {
  return {
    id: `remove-folder ${path}`,
    label: `remove folder ${path}`,
    action: { do: 'remove-folder', path },
    undo: { do: 'make-folder', path },
    verify: { expect: 'folder', path, present: false },
  }
}

export function makeFile(file: FileArtifact, uid: number | null): Step {
  const { path } = file
  return {
    id: `make-file ${path}`,
    label: describeFile(file),
    action: { do: 'make-file', file, ...(uid === null ? {} : { uid }) },
    undo: { do: 'remove-file', path },
    verify: { expect: 'file', path, present: true },
  }
}

function describeFile(file: FileArtifact): string {
  if (file.kind === 'seed') return `make seed ${file.path}`
  if (file.kind === 'variables') return `copy ${file.template} to ${file.path}`
  const size = file.bytes === null ? '' : ` of ${showSize(file.bytes)}`
  return `make disk ${file.path}${size}${file.backing === null ? '' : ` over ${file.backing.path}`}`
}

/** What was in it cannot be brought back, so this is the last thing that is done. */
export function removeFile(path: string): Step {
  return {
    id: `remove-file ${path}`,
    label: `remove ${path}`,
    action: { do: 'remove-file', path },
    undo: null,
    verify: { expect: 'file', path, present: false },
  }
}

/** `atLeast` pages must be free afterwards: those that were free before count too. */
export function reserveHugepages(need: HugepageNeed, atLeast: number): Step {
  const { node, pageBytes, pages } = need
  return {
    id: `reserve-hugepages ${node} ${showSize(pageBytes)}`,
    label: `reserve ${pages} hugepages of ${showSize(pageBytes)} on node ${node}`,
    action: { do: 'reserve-hugepages', ...need },
    undo: { do: 'release-hugepages', ...need },
    verify: { expect: 'hugepages-free', node, pageBytes, atLeast },
  }
}

export function releaseHugepages(need: HugepageNeed): Step {
  const { node, pageBytes, pages } = need
  return {
    id: `release-hugepages ${node} ${showSize(pageBytes)}`,
    label: `release ${pages} hugepages of ${showSize(pageBytes)} on node ${node}`,
    action: { do: 'release-hugepages', ...need },
    undo: { do: 'reserve-hugepages', ...need },
    verify: { expect: 'nothing' },
  }
}

export function startSwitch(argv: string[], control: string): Step {
  return {
    id: 'start-switch',
    label: 'start the switch',
    action: { do: 'start-switch', argv, control },
    undo: { do: 'stop-switch', control },
    verify: { expect: 'switch', control, running: true },
  }
}

/** `argv` starts it again in an undo; null when it is not known. */
export function stopSwitch(argv: string[] | null, control: string): Step {
  return {
    id: 'stop-switch',
    label: 'stop the switch',
    action: { do: 'stop-switch', control },
    undo: argv === null ? null : { do: 'start-switch', argv, control },
    verify: { expect: 'switch', control, running: false },
  }
}

export function createTap(tap: TapArtifact): Step {
  const { ifname, addresses } = tap
  return {
    id: `create-tap ${ifname}`,
    label: `create tap ${ifname} with ${addresses.join(', ')}`,
    action: { do: 'create-tap', tap },
    undo: { do: 'delete-tap', ifname },
    verify: { expect: 'tap', ifname, present: true },
  }
}

export function deleteTap(tap: TapArtifact): Step {
  const { ifname } = tap
  return {
    id: `delete-tap ${ifname}`,
    label: `delete tap ${ifname}`,
    action: { do: 'delete-tap', ifname },
    undo: { do: 'create-tap', tap },
    verify: { expect: 'tap', ifname, present: false },
  }
}

export function addPort(control: string, port: PortRequest): Step {
  const { name, kind, network } = port
  return {
    id: `add-port ${name}`,
    label: `add ${kind} port ${name} to network ${network}`,
    action: { do: 'add-port', control, port },
    undo: { do: 'delete-port', control, name },
    verify: { expect: 'port', control, name, present: true },
  }
}

export function deletePort(control: string, port: PortRequest): Step {
  const { name } = port
  return {
    id: `delete-port ${name}`,
    label: `delete port ${name}`,
    action: { do: 'delete-port', control, name },
    undo: { do: 'add-port', control, port },
    verify: { expect: 'port', control, name, present: false },
  }
}

/** Another policy for a port that stays. */
export function setPolicy(control: string, { before, port }: PolicyChange): Step {
  const { name } = port
  const policyOf = (of: PortRequest) => (of.kind === 'tap' ? {} : (of.policy ?? {}))
  return {
    id: `set-policy ${name}`,
    label: `change what port ${name} may do`,
    action: { do: 'set-policy', control, name, policy: policyOf(port) },
    undo: { do: 'set-policy', control, name, policy: policyOf(before) },
    verify: { expect: 'policy', control, port },
  }
}

/** `before` is the definition that libvirt has now; null = none. */
export function defineDomain(machine: MachineArtifact, before: string | null): Step {
  return {
    id: `define-domain ${machine.name}`,
    label: `define domain ${machine.domain?.name}`,
    action: { do: 'define-domain', machine, before },
    undo:
      before === null
        ? { do: 'undefine-domain', machine }
        : { do: 'define-domain', machine: withDefinition(machine, before), before: null },
    verify: { expect: 'domain', machine, xml: machine.domain?.xml ?? null },
  }
}

export function undefineDomain(machine: MachineArtifact, before: string): Step {
  return {
    id: `undefine-domain ${machine.name}`,
    label: `undefine domain ${machine.domain?.name}`,
    action: { do: 'undefine-domain', machine },
    undo: { do: 'define-domain', machine: withDefinition(machine, before), before: null },
    verify: { expect: 'domain', machine, xml: null },
  }
}

function withDefinition(machine: MachineArtifact, xml: string): MachineArtifact {
  return machine.domain === undefined ? machine : { ...machine, domain: { ...machine.domain, xml } }
}

export function startMachine(machine: MachineArtifact): Step {
  const { name } = machine
  return {
    id: `start-machine ${name}`,
    label: `start machine ${name}`,
    action: { do: 'start-machine', machine },
    undo: { do: 'stop-machine', machine },
    verify: { expect: 'machine', name, running: true },
  }
}

export function stopMachine(machine: MachineArtifact): Step {
  const { name } = machine
  return {
    id: `stop-machine ${name}`,
    label: `stop machine ${name}`,
    action: { do: 'stop-machine', machine },
    undo: machine.argv.length === 0 && machine.domain === undefined ? null : { do: 'start-machine', machine },
    verify: { expect: 'machine', name, running: false },
  }
}
