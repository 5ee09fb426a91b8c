import { floorPages } from './floor.js'
import { playPages } from './frontends/ours.js'
import type { Entrant } from './lineup.js'
import { type BenchOptions, type RivalName, sizedWorkloads } from './options.js'
import { startKernel } from './peers/kernel.js'
import { ovsPages, startOvs } from './peers/ovs.js'
import { startTestpmd, testpmdPages } from './peers/testpmd.js'
import { startVhostkit } from './peers/vhostkit.js'
import { quietPages } from './quiet.js'
import type { Missing } from './result.js'
import type { SessionPlan, Workload } from './session.js'

/** What is the same for all sessions of one bench. */
export interface BenchSetting {
  tscMhz: number
  hugepages: boolean
  signal: AbortSignal
  say(line: string): void
}

/** One session as it was asked for; the folder and the setting come later. */
export interface SessionWish {
  name: string
  offload: boolean
  workloads: Workload[]
  /** Numbers of ports and of addresses behind each, one switch for each pair of numbers. */
  shapes: { ports: number; addresses: number }[]
}

/** The largest TCP segment that Linux sends with an MTU of 1500: 45 times 1448 bytes and the headers. */
const tsoBytes = 54 + 45 * 1448
const plain = [{ ports: 2, addresses: 1 }]

/** The sessions that measure throughput, in order. */
export function planSessions({ sizes, workloads }: Pick<BenchOptions, 'sizes' | 'workloads'>): SessionWish[] {
  const sized = sizedWorkloads.filter((name) => workloads.includes(name))
  const classes = sized.length === 0 ? [] : sizeClasses(sizes)
  const only = (name: string, size: number, turns = false): Workload[] => [
    { name, size, bothWays: true, turns, frontends: ['ours'] },
  ]
  const wishes: SessionWish[] = classes.map((group) => ({
    name: `${group[0]}`,
    offload: false,
    workloads: group.flatMap((size) => sized.map((name) => workloadOf(name, size))),
    shapes: plain,
  }))
  if (workloads.includes('tso'))
    wishes.push({ name: 'tso', offload: true, workloads: only('tso', tsoBytes), shapes: plain })
  if (workloads.includes('checksums')) {
    const small = [64, 1518].flatMap((size) => only('checksums', size))
    wishes.push({ name: 'checksums', offload: true, workloads: small, shapes: plain })
  }
  if (workloads.includes('ports')) {
    const shapes = [2, 1, 8, 64].map((ports) => ({ ports, addresses: 1 }))
    wishes.push({ name: 'ports', offload: false, workloads: only('ports', 64), shapes })
  }
  if (workloads.includes('addresses')) {
    // Two ports have them, so a table holds twice as many: 2, 1000 and 100 000.
    const shapes = [1, 500, 50_000].map((addresses) => ({ ports: 2, addresses }))
    wishes.push({ name: 'addresses', offload: false, workloads: only('addresses', 64, true), shapes })
  }
  return wishes
}

/** Jumbo frames need other buffers in some switches, which would cost the small frames: a session each. */
export function sizeClasses(sizes: readonly number[]): number[][] {
  return [sizes.filter((size) => size <= 1518), sizes.filter((size) => size > 1518)].filter(
    ({ length }) => length > 0,
  )
}

/** virtio-user sends back what it gets, so it knows no one-way; its buffers take no jumbo frames. */
function workloadOf(name: (typeof sizedWorkloads)[number], size: number): Workload {
  const bothWays = name === 'vm-vm'
  const frontends = bothWays && size <= 1518 ? (['ours', 'virtio-user'] as const) : (['ours'] as const)
  return { name, size, bothWays, turns: false, frontends }
}

export function planSession(
  wish: SessionWish,
  options: BenchOptions,
  folder: string,
  setting: BenchSetting,
): { plan: SessionPlan; absent: Missing[] } {
  const { runs, windowMs, frontends } = options
  const { present, absent } = rivalsIn(wish, options.rivals)
  const entrants = wish.shapes.flatMap((shape) => entrantsOf({ ...options, rivals: present }, setting, shape))
  const { name, workloads, offload } = wish
  return {
    plan: { ...setting, folder, offload, workloads, frontends, runs, windowMs, entrants },
    absent: absent.map((rival) => ({ what: `${rival} in ${name}`, why: tooMany })),
  }
}

const tooMany = 'one for each number of ports or addresses would have to run at once, each with its hugepages'

/** How a switch's cost grows is measured with several of it at once, which DPDK's memory forbids. */
export function rivalsIn({ shapes }: Pick<SessionWish, 'shapes'>, rivals: readonly RivalName[]) {
  const fits = (name: RivalName) => shapes.length === 1 || name === 'kernel'
  return { present: rivals.filter(fits), absent: rivals.filter((name) => !fits(name)) }
}

/** Our switch, an older one of ours when asked for, and its rivals. */
function entrantsOf(
  { rivals, against }: BenchOptions,
  { tscMhz }: BenchSetting,
  shape: SessionWish['shapes'][number],
): Entrant[] {
  const starts = { ovs: startOvs, testpmd: startTestpmd, kernel: startKernel }
  const old: Entrant[] =
    against === null
      ? []
      : [
          {
            name: 'vhostkit-old',
            ...shape,
            start: (own) => startVhostkit(own, tscMhz, { name: 'vhostkit-old', program: against }),
          },
        ]
  return [
    { name: 'vhostkit', ...shape, start: (own) => startVhostkit(own, tscMhz) },
    ...old,
    ...rivals.map((name) => ({ name, ...shape, start: starts[name] })),
  ]
}

/** Hugepages of 2 MB that the session with the most wants: for play VMs, the floor, switches with DPDK, virtio-user guests. */
export function pagesWanted(wishes: readonly SessionWish[], options: BenchOptions): number {
  const quiet = options.workloads.includes('quiet') ? quietPages() : 0
  return Math.max(64, quiet, ...wishes.map((wish) => pagesOf(wish, options)))
}

function pagesOf(wish: SessionWish, { rivals: all, frontends, against }: BenchOptions): number {
  const { workloads, shapes } = wish
  const rivals = rivalsIn(wish, all).present
  const largest = Math.max(...workloads.map(({ size }) => size))
  const guests = workloads.some(({ frontends }) => frontends.includes('virtio-user')) ? frontends : ['ours']
  return shapes.reduce((sum, { ports }) => {
    const played = rivals.filter((name) => name !== 'kernel').length + (against === null ? 1 : 2)
    const switches = rivals.reduce((pages, name) => pages + pagesFor[name](ports), 0)
    return sum + switches + played * (playPages(ports, largest) + (guests.includes('virtio-user') ? 64 : 0))
  }, floorPages(largest))
}

const pagesFor: Record<RivalName, (ports: number) => number> = {
  ovs: () => ovsPages,
  testpmd: testpmdPages,
  kernel: () => 0,
}
