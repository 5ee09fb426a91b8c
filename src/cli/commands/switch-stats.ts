import { askSwitch } from '../../drivers/switch/client.js'
import type { PortStats } from '../../drivers/switch/protocol.js'
import { switchControl } from '../../drivers/switch/run-folder.js'
import { type Column, showColumns } from '../columns.js'
import type { CommandContext, CommandInput, CommandResult } from '../command.js'

export async function run(_input: CommandInput, { places, width }: CommandContext): Promise<CommandResult> {
  const { ports } = await askSwitch(switchControl(places.folders), 'stats.get')
  return { text: showStats(ports, width), data: { ports }, exitCode: 0 }
}

export function showStats(ports: PortStats[], width: number | null = null): string {
  if (ports.length === 0) return 'No ports.'
  return showColumns(columns, ports, width)
}

const number = { right: true } as const

/**
 * Rx is what the switch received from the port, as in native/PROTOCOL.md. Retried frames found no buffer of the port
 * at first; those in time were delivered after all, the others are among its drops.
 */
const columns: Column<PortStats>[] = [
  { title: 'PORT', cell: ({ name }) => name, rank: 1, least: 12, cut: 'middle' },
  { ...number, title: 'RX FRAMES', cell: ({ rx }) => String(rx.frames), rank: 2 },
  { ...number, title: 'RX BYTES', cell: ({ rx }) => String(rx.bytes), rank: 5 },
  { ...number, title: 'TX FRAMES', cell: ({ tx }) => String(tx.frames), rank: 3 },
  { ...number, title: 'TX BYTES', cell: ({ tx }) => String(tx.bytes), rank: 6 },
  { ...number, title: 'RETRIED', cell: ({ retry }) => String(retry.tried), rank: 7 },
  { ...number, title: 'IN TIME', cell: ({ retry }) => String(retry.delivered), rank: 8 },
  { title: 'DROPS', cell: showDrops, rank: 4, least: 14, wraps: true },
]

function showDrops({ drops }: PortStats): string {
  const lost = Object.entries(drops).filter(([, count]) => count > 0)
  return lost.length === 0 ? '-' : lost.map(([reason, count]) => `${reason} ${count}`).join(', ')
}
