import { askSwitch } from '../../drivers/switch/client.js'
import type { WorkerInfo } from '../../drivers/switch/protocol.js'
import { switchControl } from '../../drivers/switch/run-folder.js'
import { type Column, showColumns } from '../columns.js'
import type { CommandContext, CommandInput, CommandResult } from '../command.js'

export async function run(_input: CommandInput, { places, width }: CommandContext): Promise<CommandResult> {
  const { workers } = await askSwitch(switchControl(places.folders), 'worker.list')
  return { text: showColumns(columns, workers, width), data: { workers }, exitCode: 0 }
}

const number = { right: true } as const

const columns: Column<WorkerInfo>[] = [
  { ...number, title: 'WORKER', cell: ({ id }) => String(id), rank: 1 },
  {
    title: 'WHERE',
    cell: ({ core, node }) => (core < 0 ? 'not pinned' : `core ${core}, node ${node}`),
    rank: 4,
  },
  { title: 'STATE', cell: ({ state }) => state, rank: 3 },
  { ...number, title: 'SOURCES', cell: ({ sources }) => String(sources), rank: 6 },
  { ...number, title: 'ROUNDS', cell: ({ rounds }) => String(rounds), rank: 7 },
  { ...number, title: 'BUSY', cell: ({ busy_ms }) => `${busy_ms} ms`, rank: 5 },
  { ...number, title: 'NOW', cell: ({ load }) => `${load / 10} %`, rank: 2 },
  { ...number, title: 'SLEEPS', cell: ({ sleeps }) => String(sleeps), rank: 8 },
]
