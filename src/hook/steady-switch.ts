import { VhostkitError } from '../core/errors.js'
import { askAgainMs, askIfAny, askSwitch, isUnreachable, silent } from '../drivers/switch/client.js'
import type { PortInfo, SwitchInfo } from '../drivers/switch/protocol.js'
import { pause } from '../world/wait-for.js'

const answerLimitMs = 1_000
/** As its supervisor has it: one that lived this long is sound, and its next crash would be the first one again. */
const soundLifeMs = 1_000

/** The ports; null when nobody listens. One that listens and does not answer is an error, soon. */
export async function readPortsSoon(control: string): Promise<PortInfo[] | null> {
  try {
    return (await askIfAny(control, 'port.list', {}, answerLimitMs))?.ports ?? null
  } catch (error) {
    if (!isUnreachable(error)) throw silent(control, answerLimitMs, error)
    throw crashing(`broke off every connection for ${answerLimitMs / 1000} s`, error)
  }
}

/**
 * Refuses a switch that crashes again and again: QEMU would start with it, and wait for it
 * without limit. One crash is none of our business; its successor must only live on until `end`.
 */
export async function requireSteady(control: string, end: number): Promise<void> {
  const first = await readInfo(control, end)
  for (let now = first; !isSound(now); now = await readInfo(control, end)) {
    if (now === null || now.pid !== first?.pid) {
      const starts = now === null ? '' : `: this is start ${now.starts}, ${now.uptime_ms} ms old`
      throw crashing(`did not live for ${soundLifeMs / 1000} s${starts}`)
    }
    if (performance.now() >= end) return
    await pause(askAgainMs)
  }
}

/** Its first start is no sign of crashes. */
function isSound(info: SwitchInfo | null): boolean {
  return info !== null && (info.starts <= 1 || info.uptime_ms >= soundLifeMs)
}

async function readInfo(control: string, end: number): Promise<SwitchInfo | null> {
  const limitMs = Math.max(answerLimitMs / 2, end - performance.now())
  return askSwitch(control, 'switch.info', {}, limitMs).catch((error: unknown) => {
    if (isUnreachable(error)) return null
    throw silent(control, answerLimitMs, error)
  })
}

function crashing(what: string, cause?: unknown): VhostkitError {
  return new VhostkitError('switch-unreachable', {
    sentence: `The switch crashes again and again: it ${what}.`,
    hint: 'See its log beside the control socket; `vhostkit switch restart` starts it with the same ports.',
    cause,
  })
}
