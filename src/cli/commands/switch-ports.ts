import { showTable } from '../../core/render/show-table.js'
import { readPorts } from '../../drivers/switch/ports.js'
import type { PortInfo } from '../../drivers/switch/protocol.js'
import { switchControl } from '../../drivers/switch/run-folder.js'
import type { CommandContext, CommandInput, CommandResult } from '../command.js'

export async function run(_input: CommandInput, { places, width }: CommandContext): Promise<CommandResult> {
  const ports = await readPorts(switchControl(places.folders))
  return { text: showPorts(ports, width), data: { ports }, exitCode: 0 }
}

export function showPorts(ports: PortInfo[], width: number | null = null): string {
  if (ports.length === 0) return 'No ports.'
  const heading = ['PORT', 'NETWORK', 'STATE', 'CONNECTS', 'NODE', 'QUEUES', 'PEER', 'LAST ERROR']
  const table = showTable([heading, ...ports.map(portRow)], width)
  return [table, ...ports.flatMap(showFar), ...ports.flatMap(showCaptures)].join('\n')
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

function portRow(port: PortInfo): string[] {
  const node = port.memory === null || port.memory.node < 0 ? '-' : String(port.memory.node)
  const broken = port.rings.find((ring) => ring.broken !== null)
  const trouble = broken === undefined ? (port.last_error ?? '-') : `queue ${broken.index}: ${broken.broken}`
  const peer = port.kind === 'tap' ? (port.ifname ?? '-') : (port.socket ?? '-')
  return [
    port.name,
    port.network,
    port.state,
    String(port.connects),
    node,
    String(port.queues),
    peer,
    trouble,
  ]
}
