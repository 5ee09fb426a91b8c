import type { Folders } from '../core/plan/plan.js'
import { type SwitchDifference, switchDifference } from '../core/steps/switch-difference.js'
import { readSwitchArguments } from '../drivers/switch/process.js'
import type { SwitchInfo } from '../drivers/switch/protocol.js'
import { latestReceipt, readReceipts } from './receipt.js'

/** What of the running switch is not as it was applied last: it keeps its user, cores and idle mode until it starts again. */
export async function readSwitchDifference(
  info: SwitchInfo,
  { state, run }: Folders,
): Promise<SwitchDifference | null> {
  const latest = latestReceipt(await readReceipts(state), run)
  return latest === null
    ? null
    : switchDifference(latest.artifacts.switch.argv, await readSwitchArguments(info))
}
