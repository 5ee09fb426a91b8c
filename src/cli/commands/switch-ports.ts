import { wrapText } from '../../core/render/show-table.js'
import { readPorts } from '../../drivers/switch/ports.js'
import type { PortInfo } from '../../drivers/switch/protocol.js'
import { switchControl } from '../../drivers/switch/run-folder.js'
import { type Column, showColumns } from '../columns.js'
import type { CommandContext, CommandInput, CommandResult } from '../command.js'

export async function run(_input: CommandInput, { places, width }: CommandContext): Promise<CommandResult> {
  const ports = await readPorts(switchControl(places.folders))
  return { text: showPorts(ports, width), data: { ports }, exitCode: 0 }
}

export function showPorts(ports: PortInfo[], width: number | null = null): string {
  if (ports.length === 0) return 'No ports.'
  const below = [...ports.flatMap(showFar), ...ports.flatMap(showCaptures)]
  return [
    showColumns(columns, ports, width),
    ...below.flatMap((line) => wrapText(line, width ?? line.length)),
  ].join('\n')
}

const columns: Column<PortInfo>[] = [
  { title: 'PORT', cell: ({ name }) => name, rank: 1, least: 12, cut: 'middle' },
  { title: 'NETWORK', cell: ({ network }) => network, rank: 4, least: 8, cut: 'middle' },
  { title: 'STATE', cell: ({ state }) => state, rank: 2 },
  { title: 'CONNECTS', cell: ({ connects }) => String(connects), right: true, rank: 5 },
  {
    title: 'NODE',
    cell: ({ memory }) => (memory === null || memory.node < 0 ? '-' : String(memory.node)),
    right: true,
    rank: 6,
  },
  { title: 'QUEUES', cell: ({ queues }) => String(queues), right: true, rank: 7 },
  { title: 'PEER', cell: ({ ifname, socket }) => ifname ?? socket ?? '-', rank: 8, least: 24, cut: 'start' },
  { title: 'LAST ERROR', cell: showError, rank: 3, least: 14, wraps: true },
]

function showError({ rings, last_error }: PortInfo): string {
  const broken = rings.find((ring) => ring.broken !== null)
  return broken === undefined ? (last_error ?? '-') : `queue ${broken.index}: ${broken.broken}`
}

/** Nobody shall look unseen. */
function showCaptures({ name, captures = [] }: PortInfo): string[] {
  const lost = captures.reduce((sum, one) => sum + one.lost, 0)
  return captures.length === 0
    ? []
    : [
        `CAPTURED: port ${name}, by ${captures.length} ${captures.length === 1 ? 'client' : 'clients'}; ${lost} frames lost`,
      ]
}

/** What costs a port its speed and is seen nowhere else. */
function showFar({ name, memory, queues }: PortInfo): string[] {
  if (memory === null || memory.remote + memory.strays === 0) return []
  const { node, remote, strays } = memory
  const far = [
    ...(remote > 0 ? [`${remote} of ${queues} queues are served from another node`] : []),
    ...(strays > 0 ? [`${strays} pages of its ring state lie on another node`] : []),
  ]
  return [
    `WRONG NODE: port ${name} has its memory on node ${node}, but ${far.join(', and ')}. \`vhostkit doctor\` says what to do.`,
  ]
}
