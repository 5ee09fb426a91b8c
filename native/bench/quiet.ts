import { join } from 'node:path'
import { askSwitch } from '../../src/drivers/switch/client.js'
import { readSwitch } from '../../src/drivers/switch/process.js'
import { listFolder, makeFolder, readText } from '../../src/world/files.js'
import { sendSignal } from '../../src/world/processes.js'
import { pause, waitFor } from '../../src/world/wait-for.js'
import { Belongings } from './belongings.js'
import { playPages, startBenchLoad } from './frontends/ours.js'
import { switchCore } from './pinned.js'
import type { BenchSetting } from './plans.js'
import type { QuietFigures } from './result.js'
import { type Service, startService } from './service.js'
import { spreadOf } from './statistics.js'

const ports = 64
const largest = 1518

/** Hugepages that its guests take. */
export const quietPages = (): number => playPages(ports, largest)
/** After the last guest has come, before the clock starts. */
const settleMs = 500
const windowMs = 2000

interface QuietSample {
  cpu: number
  rss: number
  start: number
  restart: number
}

/** A switch with 64 ports on which nothing moves: its CPU time, its memory, and how soon it is there. */
export async function measureQuiet(
  folder: string,
  runs: number,
  setting: BenchSetting,
): Promise<QuietFigures> {
  await makeFolder(folder, 0o700)
  const samples: QuietSample[] = []
  for (let run = 0; run < runs; run++) {
    setting.say(`quiet: run ${run + 1} of ${runs}`)
    const belongings = new Belongings()
    try {
      samples.push(await measureOnce(join(folder, `${run}`), setting, belongings))
    } finally {
      for (const failure of await belongings.giveBack()) setting.say(failure)
    }
  }
  const spread = (key: keyof QuietSample, digits: number) =>
    spreadOf(
      samples.map((sample) => sample[key]),
      digits,
    )
  return {
    ports,
    runs,
    cpu_percent: spread('cpu', 3),
    rss_mb: spread('rss', 2),
    start_ms: spread('start', 1),
    restart_ms: spread('restart', 1),
  }
}

async function measureOnce(
  folder: string,
  setting: BenchSetting,
  belongings: Belongings,
): Promise<QuietSample> {
  await makeFolder(folder, 0o700)
  const control = join(folder, 'control')
  const first = await startTimed(folder, setting, belongings)
  const sockets = Array.from({ length: ports }, (_, port) => join(folder, `port-${port}`))
  for (const [port, socket] of sockets.entries()) {
    const kind = { kind: 'vhost-user', network: 'quiet', socket, role: 'server' }
    await askSwitch(control, 'port.add', { name: `port${port}`, ...kind })
  }
  const shape = { ...setting, ports, largest, offload: false, belongings }
  const { talk } = await startBenchLoad('quiet', sockets, shape)
  await pause(settleMs, setting.signal)
  const [begin, beginMs] = [await readCpuNs(first.service.pid), performance.now()]
  await pause(windowMs, setting.signal)
  const cpuNs = (await readCpuNs(first.service.pid)) - begin
  const cpu = cpuNs / 1e4 / (performance.now() - beginMs)
  const smaps = (await readText(`/proc/${first.service.pid}/smaps`)) ?? ''
  const rss = parseOwnRssKb(smaps) / 1024
  await talk.end()
  sendSignal(first.service.pid, 'SIGKILL')
  await waitFor({ what: 'the killed switch to be gone', limitMs: 2_000, everyMs: 5 }, () =>
    listFolder(`/proc/${first.service.pid}/task`).then(({ length }) => length === 0),
  )
  const second = await startTimed(folder, setting, belongings)
  const info = await readSwitch(control)
  if (info?.ports !== ports) throw new Error(`the switch came back with ${info?.ports} ports, not ${ports}`)
  return { cpu, rss, start: first.ms, restart: second.ms }
}

/** Starts the switch; the time ends when it answers a request. */
async function startTimed(
  folder: string,
  { signal }: BenchSetting,
  belongings: Belongings,
): Promise<{ service: Service; ms: number }> {
  const control = join(folder, 'control')
  const program = join(process.cwd(), 'native/build/vhostkit-switch')
  const files = ['--control', control, '--state', join(folder, 'state')]
  const begin = performance.now()
  const service = await startService({
    name: 'vhostkit',
    argv: ['setpriv', '--pdeathsig', 'KILL', program, ...files, '--cores', `${switchCore}`],
    log: join(folder, 'log'),
    limitMs: 3_000,
    everyMs: 1,
    ready: async () => (await readSwitch(control)) !== null,
    belongings,
    signal,
  })
  return { service, ms: performance.now() - begin }
}

/** Time on a core of all threads of a process. */
async function readCpuNs(pid: number): Promise<number> {
  const threads = await listFolder(`/proc/${pid}/task`)
  const texts = await Promise.all(threads.map((thread) => readText(`/proc/${pid}/task/${thread}/schedstat`)))
  return texts.reduce((sum, text) => sum + Number((text ?? '0').split(' ')[0]), 0)
}

/** Resident memory of a process by its smaps, without what it maps of its guests. */
export function parseOwnRssKb(smaps: string): number {
  let own = true
  let sum = 0
  for (const line of smaps.split('\n')) {
    const mapping = /^[0-9a-f]+-[0-9a-f]+ \S+ \S+ \S+ \S+ *(.*)$/.exec(line)
    if (mapping !== null) own = !(mapping[1] ?? '').startsWith('/memfd:guest-ram')
    const resident = /^(?:Rss|Shared_Hugetlb|Private_Hugetlb): +(\d+) kB$/.exec(line)
    if (resident !== null && own) sum += Number(resident[1])
  }
  return sum
}
