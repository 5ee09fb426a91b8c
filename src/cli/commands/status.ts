import { readSwitchView } from '../../apply/interface-status.js'
import { type KeptDisks, readKeptDisks } from '../../apply/kept-disks.js'
import { readOrphans } from '../../apply/orphan-ports.js'
import { readReceipt, readReceipts } from '../../apply/receipt.js'
import { type DeploymentStatus, readStatus } from '../../apply/status.js'
import { VhostkitError } from '../../core/errors.js'
import { showTable } from '../../core/render/show-table.js'
import { showSize } from '../../core/spec/size.js'
import { readSwitch } from '../../drivers/switch/process.js'
import type { SwitchInfo } from '../../drivers/switch/protocol.js'
import { switchControl } from '../../drivers/switch/run-folder.js'
import { readUplink } from '../../host/uplink.js'
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
    throw new VhostkitError('not-found', { sentence: `No deployment ${deployment} was applied here.` })
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
  const ports = view?.ports ?? []
  const deployments = await Promise.all(receipts.map((receipt) => readStatus(receipt, view, uplink)))
  const blocks = [
    showSwitch(seen, control),
    ...deployments.map((one) => showDeployment(one, width)),
    ...(info === null ? [] : [showPorts(ports, width)]),
    ...showStray(info?.lost ?? [], orphans),
    ...showKeptDisks(kept),
    ...showTrouble(deployments),
  ]
  if (receipts.length === 0) blocks.splice(1, 0, 'No deployments. Begin with `vhostkit apply SPEC`.')
  return { text: blocks.join('\n\n'), data: { switch: info, deployments, ports, orphans, kept }, exitCode: 0 }
}

function showSwitch(seen: SwitchInfo | Error | null, control: string): string {
  if (seen instanceof Error) return seen.message
  if (seen === null) return `The switch does not run (${control}).`
  return `The switch runs: pid ${seen.pid}, start ${seen.starts}, up ${Math.round(seen.uptime_ms / 1000)} s.`
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
  const rows = machines.map(({ name, running, pid, state, console }) => {
    return [name, state, running ? String(pid) : '-', console]
  })
  return [
    `${deployment}: ${status}${cut} (${time})`,
    showTable([['MACHINE', 'STATE', 'PID', 'CONSOLE'], ...rows], width),
    ...showInterfaces(interfaces, width),
    ...networks.flatMap(showNetwork),
    ...(pages.length === 0 ? [] : [`holds ${pages.join(', ')}`]),
  ].join('\n')
}
