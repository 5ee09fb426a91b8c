import { readSupervision, type Supervision } from '../../drivers/service/supervision.js'
import { askSwitch } from '../../drivers/switch/client.js'
import type { SwitchInfo } from '../../drivers/switch/protocol.js'
import { switchControl } from '../../drivers/switch/run-folder.js'
import type { CommandContext, CommandInput, CommandResult } from '../command.js'
import { showCount } from '../show-count.js'

export async function run(_input: CommandInput, { places }: CommandContext): Promise<CommandResult> {
  const info = await askSwitch(switchControl(places.folders), 'switch.info')
  const { version, pid, supervisor_pid, uptime_ms, starts, ports, networks, workers, idle, lost } = info
  const supervision = await readSupervision(info)
  const supervised = supervisor_pid === 0 ? 'not supervised' : `supervisor ${supervisor_pid}, start ${starts}`
  const text = [
    `vhostkit-switch ${version}: pid ${pid}, ${supervised}, up ${Math.round(uptime_ms / 1000)} s`,
    ...showManager(info, supervision),
    `${showCount(ports, 'port')}, ${showCount(networks, 'network')}, ${showCount(workers, 'worker')}, idle ${idle}`,
    ...(lost.length === 0 ? [] : [`lost at the start: ${lost.join(', ')} (its log says why)`]),
  ].join('\n')
  return { text, data: { ...info, supervision }, exitCode: 0 }
}

/** The line about the service manager, when one started it. */
function showManager({ service }: SwitchInfo, { by, unit }: Supervision): string[] {
  if (by !== 'systemd' || service === null) return []
  const watchdog = service.watchdog_ms === 0 ? 'no watchdog' : `watchdog ${service.watchdog_ms / 1000} s`
  return [`run by ${unit ?? 'a service manager'}, ${watchdog}`]
}
