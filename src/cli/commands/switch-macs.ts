import { askSwitch } from '../../drivers/switch/client.js'
import type { MacInfo } from '../../drivers/switch/protocol.js'
import { switchControl } from '../../drivers/switch/run-folder.js'
import { type Column, showColumns } from '../columns.js'
import type { CommandContext, CommandInput, CommandResult } from '../command.js'

export async function run(_input: CommandInput, { places, width }: CommandContext): Promise<CommandResult> {
  const { macs } = await askSwitch(switchControl(places.folders), 'mac.list')
  return { text: showMacs(macs, width), data: { macs }, exitCode: 0 }
}

export function showMacs(macs: MacInfo[], width: number | null = null): string {
  return macs.length === 0 ? 'No addresses learnt.' : showColumns(columns, macs, width)
}

const columns: Column<MacInfo>[] = [
  { title: 'NETWORK', cell: ({ network }) => network, rank: 3, least: 8, cut: 'middle' },
  { title: 'MAC', cell: ({ mac }) => mac, rank: 1 },
  { title: 'VLAN', cell: ({ vlan }) => (vlan === 0 ? '' : String(vlan)), right: true, rank: 4 },
  { title: 'PORT', cell: ({ port }) => port, rank: 2, least: 12, cut: 'middle' },
  { title: 'AGE', cell: ({ age_s }) => `${age_s} s`, right: true, rank: 5 },
]
