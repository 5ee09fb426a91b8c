import { showTable } from '../../core/render/show-table.js'
import { askSwitch } from '../../drivers/switch/client.js'
import { switchControl } from '../../drivers/switch/run-folder.js'
import type { CommandContext, CommandInput, CommandResult } from '../command.js'

export async function run(_input: CommandInput, { places, width }: CommandContext): Promise<CommandResult> {
  const { workers } = await askSwitch(switchControl(places.folders), 'worker.list')
  const rows = workers.map(({ id, core, node, sources, rounds, busy_ms, load, sleeps, state }) => {
    const where = core < 0 ? 'not pinned' : `core ${core}, node ${node}`
    return [
      String(id),
      where,
      state,
      String(sources),
      String(rounds),
      `${busy_ms} ms`,
      `${load / 10} %`,
      String(sleeps),
    ]
  })
  const heading = ['WORKER', 'WHERE', 'STATE', 'SOURCES', 'ROUNDS', 'BUSY', 'NOW', 'SLEEPS']
  return { text: showTable([heading, ...rows], width), data: { workers }, exitCode: 0 }
}
