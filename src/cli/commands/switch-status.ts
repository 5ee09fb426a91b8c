import { switchControl } from '../../apply/switch-alone.js'
import { askSwitch } from '../../drivers/switch/client.js'
import type { CommandContext, CommandInput, CommandResult } from '../command.js'

export async function run(_input: CommandInput, { places }: CommandContext): Promise<CommandResult> {
  const info = await askSwitch(switchControl(places.folders), 'switch.info')
  const { version, pid, supervisor_pid, uptime_ms, starts, ports, networks, workers, idle, lost } = info
  const supervised = supervisor_pid === 0 ? 'not supervised' : `supervisor ${supervisor_pid}, start ${starts}`
  const text = [
    `vhostkit-switch ${version}: pid ${pid}, ${supervised}, up ${Math.round(uptime_ms / 1000)} s`,
    `${ports} ports, ${networks} networks, ${workers} workers, idle ${idle}`,
    ...(lost.length === 0 ? [] : [`lost at the start: ${lost.join(', ')} (its log says why)`]),
  ].join('\n')
  return { text, data: info, exitCode: 0 }
}
