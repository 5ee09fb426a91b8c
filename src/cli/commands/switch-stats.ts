import { showTable } from '../../core/render/show-table.js'
import { askSwitch } from '../../drivers/switch/client.js'
import type { PortStats } from '../../drivers/switch/protocol.js'
import { switchControl } from '../../drivers/switch/run-folder.js'
import type { CommandContext, CommandInput, CommandResult } from '../command.js'

export async function run(_input: CommandInput, { places, width }: CommandContext): Promise<CommandResult> {
  const { ports } = await askSwitch(switchControl(places.folders), 'stats.get')
  return { text: showStats(ports, width), data: { ports }, exitCode: 0 }
}

export function showStats(ports: PortStats[], width: number | null = null): string {
  if (ports.length === 0) return 'No ports.'
  const heading = ['PORT', 'RX FRAMES', 'RX BYTES', 'TX FRAMES', 'TX BYTES', 'RETRIED', 'IN TIME', 'DROPS']
  return showTable([heading, ...ports.map(statsRow)], width)
}

/**
 * Rx is what the switch received from the port, as in native/PROTOCOL.md. Retried frames found no buffer of the port
 * at first; those in time were delivered after all, the others are among its drops.
 */
function statsRow({ name, rx, tx, retry, drops }: PortStats): string[] {
  const lost = Object.entries(drops).filter(([, count]) => count > 0)
  const shown = lost.map(([reason, count]) => `${reason} ${count}`).join(', ')
  const counts = [rx.frames, rx.bytes, tx.frames, tx.bytes, retry.tried, retry.delivered]
  return [name, ...counts.map(String), shown === '' ? '-' : shown]
}
