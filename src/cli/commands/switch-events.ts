import { switchControl } from '../../apply/switch-alone.js'
import { SwitchClient } from '../../drivers/switch/client.js'
import type { SwitchEvent } from '../../drivers/switch/protocol.js'
import type { CommandContext, CommandInput, CommandResult } from '../command.js'
import { readCount } from '../read-input.js'

/** Follows events until Ctrl-C, the end of the switch, or the time given. */
export async function run(input: CommandInput, context: CommandContext): Promise<CommandResult> {
  const seconds = readCount(input, 'for', 0, 86_400)
  const { signal, places, follow } = context
  const client = await SwitchClient.connect(switchControl(places.folders))
  let count = 0
  let timer: NodeJS.Timeout | undefined
  try {
    await new Promise<void>((resolve, reject) => {
      const take = (event: SwitchEvent) => {
        count++
        follow(showEvent(event), event)
      }
      client.subscribe(take, resolve).catch(reject)
      signal.addEventListener('abort', () => resolve(), { once: true })
      if (seconds > 0) timer = setTimeout(resolve, seconds * 1000)
    })
  } finally {
    clearTimeout(timer)
    client.close()
  }
  return { text: '', data: { events: count }, exitCode: 0 }
}

function showEvent({ seq, time_ms, type, ...rest }: SwitchEvent): string {
  const details = Object.entries(rest).map(([key, value]) => `${key}=${value}`)
  return [`${(time_ms / 1000).toFixed(3)}`, `#${seq}`, type, ...details].join(' ')
}
