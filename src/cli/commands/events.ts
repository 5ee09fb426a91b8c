import { followEvents } from '../../drivers/switch/follow-events.js'
import type { SwitchEvent } from '../../drivers/switch/protocol.js'
import { switchControl } from '../../drivers/switch/run-folder.js'
import type { CommandContext, CommandInput, CommandResult } from '../command.js'
import { readCount } from '../read-input.js'
import { showEvent, type WatchedEvent } from '../seeing/show-event.js'

/** Follows events until Ctrl-C or the time given, also when the switch restarts. */
export async function run(input: CommandInput, context: CommandContext): Promise<CommandResult> {
  const seconds = readCount(input, 'for', 0, 86_400)
  const { signal, places, follow } = context
  const limits = seconds > 0 ? [signal, AbortSignal.timeout(seconds * 1000)] : [signal]
  let events = 0
  const tell = (event: WatchedEvent) => follow(showEvent(event), event)
  await followEvents(
    switchControl(places.folders),
    {
      event: (event) => {
        events++
        tell({ time: timeOf(event), ...event })
      },
      away: (why) => tell({ time: timeNow(), type: 'switch.away', why }),
      back: ({ pid, starts }) => tell({ time: timeNow(), type: 'switch.back', pid, starts }),
    },
    AbortSignal.any(limits),
  )
  return { text: '', data: { events }, exitCode: 0 }
}

function timeNow(): string {
  return new Date().toISOString()
}

/** The switch counts on CLOCK_MONOTONIC, as process.hrtime does on Linux. */
function timeOf({ time_ms }: SwitchEvent): string {
  const agoMs = Number(process.hrtime.bigint() / 1_000_000n) - time_ms
  return new Date(Date.now() - agoMs).toISOString()
}
