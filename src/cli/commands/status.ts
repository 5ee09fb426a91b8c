import { readSwitchView } from '../../apply/interface-status.js'
import { type KeptDisks, readKeptDisks } from '../../apply/kept-disks.js'
import { readOrphans } from '../../apply/orphan-ports.js'
import { readReceipt, readReceipts } from '../../apply/receipt.js'
import { type DeploymentStatus, type MachineStatus, readStatus } from '../../apply/status.js'
import { readSwitchDifference } from '../../apply/switch-difference.js'
import { unknownDeployment } from '../../apply/unknown-deployment.js'
import { wrapText } from '../../core/render/show-table.js'
import { showSize } from '../../core/spec/size.js'
import { readSwitch } from '../../drivers/switch/process.js'
import type { PortInfo, SwitchInfo } from '../../drivers/switch/protocol.js'
import { switchControl } from '../../drivers/switch/run-folder.js'
import { readUplink } from '../../host/uplink.js'
import { type Column, showColumns } from '../columns.js'
import type { CommandContext, CommandInput, CommandResult } from '../command.js'
import { showInterfaces } from '../show-interfaces.js'
import { showNetwork } from '../show-network.js'
import { showTrouble } from '../show-trouble.js'
import { showPorts } from './switch-ports.js'

export async function run(input: CommandInput, { places, width }: CommandContext): Promise<CommandResult> {
  const { deployment } = input.args
  const { folders } = places
  const one = deployment === undefined ? null : await readReceipt(folders.state, deployment)
  if (deployment !== undefined && one === null) {
    throw await unknownDeployment(deployment, folders.state)
  }
  const receipts = one === null ? await readReceipts(folders.state) : [one]
  const control = switchControl(folders)
  const [seen, view, orphans, uplink, kept] = await Promise.all([
    readSwitch(control).catch((error: Error) => error),
    readSwitchView(control),
    readOrphans(folders).catch(() => []),
    readUplink(),
    deployment === undefined ? readKeptDisks(folders.state, receipts) : [],
  ])
  const info = seen instanceof Error ? null : seen
  const otherwise = info === null ? null : await readSwitchDifference(info, folders)
  const ports = view?.ports ?? []
  const deployments = await Promise.all(receipts.map((receipt) => readStatus(receipt, view, uplink)))
  const blocks = [
    showSwitch(seen, control),
    ...deployments.map((one) => showDeployment(one, width)),
    ...(info === null ? [] : showOtherPorts(ports, deployments, width)),
    ...showStray(info?.lost ?? [], orphans),
    ...showKeptDisks(kept),
    ...showTrouble(deployments, view !== null, otherwise),
  ].map((block) => fold(block, width).join('\n'))
  if (receipts.length === 0) blocks.splice(1, 0, 'No deployments. Begin with `vhostkit apply SPEC`.')
  const data = { switch: info, switch_differs: otherwise, deployments, ports, orphans, kept }
  return { text: blocks.join('\n\n'), data, exitCode: 0 }
}

function showSwitch(seen: SwitchInfo | Error | null, control: string): string {
  if (seen instanceof Error) return seen.message
  if (seen === null) return `The switch does not run (${control}).`
  return `The switch runs: pid ${seen.pid}, start ${seen.starts}, up ${Math.round(seen.uptime_ms / 1000)} s.`
}

/** Those that the tables of interfaces have not; `switch ports` has all. */
function showOtherPorts(ports: PortInfo[], deployments: DeploymentStatus[], width: number | null): string[] {
  const shown = new Set(deployments.flatMap(({ interfaces }) => interfaces.map(({ port }) => port)))
  const others = ports.filter(({ name }) => !shown.has(name))
  return others.length === 0 && ports.length > 0 ? [] : [showPorts(others, width)]
}

function showStray(lost: string[], orphans: string[]): string[] {
  const missing = lost.filter((name) => !orphans.includes(name))
  return [
    ...(missing.length === 0 ? [] : [`Lost when the switch started: ${missing.join(', ')}. Apply again.`]),
    ...(orphans.length === 0
      ? []
      : [`Of no deployment any more: ${orphans.join(', ')}. \`vhostkit switch start\` forgets them.`]),
  ]
}

function showKeptDisks(kept: KeptDisks[]): string[] {
  if (kept.length === 0) return []
  const files = kept.flatMap(({ owner, files }) => files.map((path) => `  ${owner}: ${path}`))
  const hint = 'An apply of such a machine uses them again; `vhostkit destroy NAME --disks` removes them.'
  return [['Disks of machines that are gone:', ...files, hint].join('\n')]
}

function showDeployment(
  { deployment, status, time, machines, interfaces, networks, reserved, operation }: DeploymentStatus,
  width: number | null,
): string {
  const cut = status === 'changing' ? `; "${operation}" did not end: apply again, or destroy` : ''
  const pages = reserved.map(
    (held) => `${held.pages} hugepages of ${showSize(held.pageBytes)} on node ${held.node}`,
  )
  const below = [
    ...networks.flatMap(showNetwork),
    ...(pages.length === 0 ? [] : [`holds ${pages.join(', ')}`]),
  ]
  return [
    `${deployment}: ${status}${cut} (${time})`,
    showColumns(columns, machines, width),
    ...showInterfaces(interfaces, width),
    ...below,
  ].join('\n')
}

function fold(text: string, width: number | null): string[] {
  return text.split('\n').flatMap((line) => wrapText(line, width ?? line.length))
}

const columns: Column<MachineStatus>[] = [
  { title: 'MACHINE', cell: ({ name }) => name, rank: 1, least: 12, cut: 'middle' },
  { title: 'STATE', cell: ({ state }) => state, rank: 2 },
  { title: 'PID', cell: ({ running, pid }) => (running ? String(pid) : '-'), right: true, rank: 3 },
  { title: 'CONSOLE', cell: ({ console }) => console, rank: 4, least: 24, cut: 'start' },
]
