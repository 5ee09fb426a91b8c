import { switchControl } from '../../apply/switch-alone.js'
import { showTable } from '../../core/render/show-table.js'
import { askSwitch } from '../../drivers/switch/client.js'
import type { PortStats } from '../../drivers/switch/protocol.js'
import type { CommandContext, CommandInput, CommandResult } from '../command.js'

export async function run(_input: CommandInput, { places, width }: CommandContext): Promise<CommandResult> {
  const { ports } = await askSwitch(switchControl(places.folders), 'stats.get')
  if (ports.length === 0) return { text: 'No ports.', data: { ports }, exitCode: 0 }
  const heading = ['PORT', 'RX FRAMES', 'RX BYTES', 'TX FRAMES', 'TX BYTES', 'DROPS']
  return { text: showTable([heading, ...ports.map(statsRow)], width), data: { ports }, exitCode: 0 }
}

/** Rx is what the switch received from the port, as in native/PROTOCOL.md. */
function statsRow({ name, rx, tx, drops }: PortStats): string[] {
  const lost = Object.entries(drops).filter(([, count]) => count > 0)
  const shown = lost.map(([reason, count]) => `${reason} ${count}`).join(', ')
  return [name, ...[rx.frames, rx.bytes, tx.frames, tx.bytes].map(String), shown === '' ? '-' : shown]
}
