import { join } from 'node:path'
import { askSwitch } from '../../src/drivers/switch/client.js'
import { readSwitch, stopSwitch } from '../../src/drivers/switch/process.js'
import { makeFolder } from '../../src/world/files.js'
import { sendSignal } from '../../src/world/processes.js'
import { pause, waitFor } from '../../src/world/wait-for.js'
import { Belongings } from './belongings.js'
import { jsonLine, startBenchLoad } from './frontends/ours.js'
import { switchCore } from './pinned.js'
import type { BenchSetting } from './plans.js'
import type { OutageFigures } from './result.js'
import { startService } from './service.js'
import { quantile } from './statistics.js'

const ports = 2
const size = 64
/** The supervisor takes a switch that lived shorter for broken, and lets it wait. */
const soundLifeMs = 1100
/** Far longer than an outage may be: one that is longer still shows as this. */
const watchMs = 400

/** Kills our switch under load, again and again; its supervisor and the guests bring it back. */
export async function measureOutage(
  folder: string,
  kills: number,
  setting: BenchSetting,
): Promise<OutageFigures> {
  const belongings = new Belongings()
  try {
    await makeFolder(folder, 0o700)
    const control = join(folder, 'control')
    const sockets = Array.from({ length: ports }, (_, port) => join(folder, `port-${port}`))
    await startSupervised(folder, control, setting, belongings)
    for (const [port, socket] of sockets.entries()) {
      const kind = { kind: 'vhost-user', network: 'outage', socket, role: 'client' }
      await askSwitch(control, 'port.add', { name: `port${port}`, ...kind })
    }
    // As QEMU does, the guests are the socket servers: the switch comes back to them.
    const shape = { ...setting, ports, largest: 1518, offload: false, belongings }
    const { talk } = await startBenchLoad('outage', sockets, shape, ['--listen'])
    const outages: number[] = []
    for (let kill = 0; kill < kills; kill++) {
      if (kill % 10 === 0) setting.say(`outage: kill ${kill + 1} of ${kills}`)
      const info = await waitFor({ what: 'the switch to answer', limitMs: 3_000, everyMs: 5 }, () =>
        readSwitch(control),
      )
      await pause(Math.max(0, soundLifeMs - info.uptime_ms), setting.signal)
      talk.say(`outage ${size} ${watchMs}`)
      await talk.hear(jsonLine, 5_000)
      sendSignal(info.pid, 'SIGKILL')
      const told = JSON.parse(await talk.hear(jsonLine, watchMs + 15_000)) as Record<string, number>
      if (told.reconnects !== ports)
        throw new Error(`after kill ${kill + 1} ${told.reconnects} of ${ports} guests were attached again`)
      outages.push((told.outage_us ?? Number.NaN) / 1000)
    }
    await talk.end()
    await stopSwitch(control)
    return summariseOutages(outages)
  } finally {
    for (const failure of await belongings.giveBack()) setting.say(failure)
  }
}

export function summariseOutages(outages: readonly number[]): OutageFigures {
  const sorted = [...outages].sort((a, b) => a - b).map((ms) => Number(ms.toFixed(2)))
  return {
    kills: sorted.length,
    p50_ms: quantile(sorted, 0.5),
    p99_ms: quantile(sorted, 0.99),
    max_ms: quantile(sorted, 1),
    all_ms: sorted,
  }
}

async function startSupervised(
  folder: string,
  control: string,
  { signal }: BenchSetting,
  belongings: Belongings,
): Promise<void> {
  const program = join(process.cwd(), 'native/build/vhostkit-switch')
  const files = ['--control', control, '--state', join(folder, 'state')]
  await startService({
    name: 'vhostkit (supervised)',
    argv: ['setpriv', '--pdeathsig', 'TERM', program, ...files, '--cores', `${switchCore}`, '--monitor'],
    log: join(folder, 'log'),
    limitMs: 3_000,
    ready: async () => (await readSwitch(control)) !== null,
    belongings,
    signal,
  })
}
