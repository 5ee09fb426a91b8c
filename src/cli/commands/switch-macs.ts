import { showTable } from '../../core/render/show-table.js'
import { askSwitch } from '../../drivers/switch/client.js'
import { switchControl } from '../../drivers/switch/run-folder.js'
import type { CommandContext, CommandInput, CommandResult } from '../command.js'

export async function run(_input: CommandInput, { places, width }: CommandContext): Promise<CommandResult> {
  const { macs } = await askSwitch(switchControl(places.folders), 'mac.list')
  const rows = macs.map(({ network, mac, vlan, port, age_s }) => [
    network,
    mac,
    vlan === 0 ? '' : String(vlan),
    port,
    `${age_s} s`,
  ])
  const text =
    rows.length === 0
      ? 'No addresses learnt.'
      : showTable([['NETWORK', 'MAC', 'VLAN', 'PORT', 'AGE'], ...rows], width)
  return { text, data: { macs }, exitCode: 0 }
}
