import assert from 'node:assert/strict'
import { floorPages } from '../../native/bench/floor.js'
import { loadCommand } from '../../native/bench/frontends/frontend.js'
import { playPages } from '../../native/bench/frontends/ours.js'
import { summariseGrowth } from '../../native/bench/growth.js'
import { summariseLatency } from '../../native/bench/latency.js'
import { parseOptions, workloadNames } from '../../native/bench/options.js'
import { summariseOutages } from '../../native/bench/outage.js'
import { testpmdPages } from '../../native/bench/peers/testpmd.js'
import { pagesWanted, planSessions, rivalsIn } from '../../native/bench/plans.js'
import { parseOwnRssKb } from '../../native/bench/quiet.js'
import type { Sample } from '../../native/bench/session.js'
import { quantile } from '../../native/bench/statistics.js'
import { summariseRatios } from '../../native/bench/summary.js'
import { measureUntilTold } from '../../native/bench/told.js'
import { summariseWake } from '../../native/bench/wake.js'

const sample = (round: number, cyclesPerFrame: number, more: Partial<Sample> = {}): Sample => ({
  peer: 'vhostkit',
  frontend: 'ours',
  workload: 'ports',
  size: 64,
  ports: 2,
  addresses: 1,
  round,
  mpps: 10,
  cyclesPerFrame,
  generatorCycles: null,
  cyclesSource: 'told',
  ...more,
})

describe('bench workloads', () => {
  it('plans a session for each set-up that switches must be started for anew', () => {
    const sessions = planSessions({ sizes: [64, 1518, 9000], workloads: [...workloadNames] })
    assert.deepEqual(
      sessions.map(({ name, offload, shapes }) => [name, offload, shapes.length]),
      [
        ['64', false, 1],
        ['9000', false, 1],
        ['tso', true, 1],
        ['checksums', true, 1],
        ['ports', false, 4],
        ['addresses', false, 3],
      ],
    )
    assert.deepEqual(
      sessions[0]?.workloads.map(({ name, size, frontends }) => [name, size, frontends.length]),
      [
        ['vm-vm', 64, 2],
        ['one-way', 64, 1],
        ['vm-vm', 1518, 2],
        ['one-way', 1518, 1],
      ],
    )
    assert.equal(planSessions({ sizes: [64], workloads: ['quiet', 'latency', 'outage'] }).length, 0)
  })

  it('wants hugepages for all play VMs of a session at once, and for the floor beside them', () => {
    const options = parseOptions(['--workloads', 'ports', '--peers', 'none'])
    assert.ok(options !== null)
    const vms = [1, 2, 8, 64].reduce((sum, ports) => sum + playPages(ports, 64), 0)
    assert.equal(pagesWanted(planSessions(options), options), vms + floorPages(64))
    assert.ok(floorPages(64) > 0)
  })

  it('counts the hugepages of the quiet guests, also when nothing else wants any', () => {
    const options = parseOptions(['--workloads', 'quiet', '--peers', 'none'])
    assert.ok(options !== null)
    assert.equal(pagesWanted(planSessions(options), options), playPages(64, 1518))
  })

  it('leaves those with their own hugepages out where many run at once', () => {
    const many = { shapes: [1, 2].map((ports) => ({ ports, addresses: 1 })) }
    assert.deepEqual(rivalsIn(many, ['ovs', 'kernel', 'testpmd']), {
      present: ['kernel'],
      absent: ['ovs', 'testpmd'],
    })
    assert.deepEqual(rivalsIn({ shapes: [{ ports: 2, addresses: 1 }] }, ['ovs', 'kernel']).absent, [])
  })

  it('counts the hugepages that guests and testpmd take', () => {
    assert.equal(playPages(2, 1518), 8) // 1024 slots of 2 + 2 KiB each way, and low memory
    assert.ok(playPages(2, 65214) >= 2 * 9)
    assert.ok(playPages(64, 64) <= 64 * 2)
    assert.ok(testpmdPages(8) > testpmdPages(2))
  })

  it('tells the guests how to load', () => {
    const shape = { size: 64, addresses: 500, warmMs: 200, windowMs: 700 }
    assert.equal(loadCommand({ ...shape, bothWays: true, turns: true }), 'turn 64 500 200 700')
    assert.equal(loadCommand({ ...shape, bothWays: true, turns: false }), 'both 64 500 200 700')
    assert.equal(loadCommand({ ...shape, bothWays: false, turns: false }), 'one 64 500 200 700')
  })

  it('compares more ports with two, round by round', () => {
    const samples = [
      sample(0, 100),
      sample(0, 110, { ports: 64 }),
      sample(1, 200),
      sample(1, 220, { ports: 64 }),
      sample(1, 1, { ports: 64, peer: 'kernel' }),
    ]
    assert.deepEqual(summariseGrowth(samples), [
      {
        peer: 'vhostkit',
        workload: 'ports',
        ports: 64,
        addresses: 1,
        cycles: { median: 1.1, min: 1.1, max: 1.1 },
      },
    ])
  })

  it("compares the kernel's taps with vhostkit under our own front end", () => {
    const samples = [
      sample(0, 1, { mpps: 20, workload: 'vm-vm' }),
      sample(0, 1, { mpps: 5, workload: 'vm-vm', frontend: 'virtio-user' }),
      sample(0, 1, { mpps: 2, workload: 'vm-vm', frontend: 'tap', peer: 'kernel' }),
    ]
    assert.deepEqual(
      summariseRatios(samples).map(({ peer, frontend, mpps }) => [peer, frontend, mpps.median]),
      [['kernel', 'tap', 10]],
    )
  })

  it('makes one latency row of the runs of one kind', () => {
    const run = { peer: 'ovs', load: 'idle' as const, rate: 1000, p50_us: 2, p999_us: 20, max_us: 90 }
    const [row] = summariseLatency([
      { ...run, frames: 2000, received: 1999, unseen: 5, p99_us: 8 },
      { ...run, frames: 2000, received: 2000, unseen: 0, p99_us: 10 },
    ])
    assert.deepEqual(row?.p99_us, { median: 9, min: 8, max: 10 })
    assert.deepEqual([row?.frames, row?.lost, row?.unseen, row?.runs], [4000, 1, 5, 2])
    const wake = summariseWake([
      { p50_us: 3, p99_us: 9, p999_us: 20 },
      { p50_us: 5, p99_us: 7, p999_us: 30 },
    ])
    assert.deepEqual([wake.runs, wake.p50_us.median, wake.p99_us.max], [2, 4, 9])
  })

  it('measures again when a switch told nothing, and gives up with a reason', async () => {
    const said: string[] = []
    const runs = [sample(0, Number.NaN), sample(0, 100, { mpps: 0 }), sample(0, 120)]
    const told = await measureUntilTold(
      async () => runs.shift() ?? assert.fail('once too often'),
      (line) => said.push(line),
    )
    assert.equal(told.cyclesPerFrame, 120)
    assert.equal(said.length, 2)
    await assert.rejects(
      measureUntilTold(
        async () => sample(0, Number.NaN),
        () => undefined,
      ),
      /vhostkit, ports, 64 bytes: no frames or no cycles in the window, 3 times/,
    )
  })

  it('takes quantiles that were measured', () => {
    const hundred = Array.from({ length: 100 }, (_, at) => at + 1)
    assert.deepEqual(
      [0, 0.5, 0.99, 1].map((share) => quantile(hundred, share)),
      [1, 50, 99, 100],
    )
    assert.ok(Number.isNaN(quantile([], 0.5)))
    assert.deepEqual(summariseOutages([30, 10.123, 20]), {
      kills: 3,
      p50_ms: 20,
      p99_ms: 30,
      max_ms: 30,
      all_ms: [10.12, 20, 30],
    })
  })

  it('counts the memory of a switch without that of its guests', () => {
    const smaps = [
      '55f0a0000000-55f0a0010000 r-xp 00000000 fe:00 123                        /usr/bin/vhostkit-switch',
      'Size:                 64 kB',
      'Rss:                  40 kB',
      'Pss:                  40 kB',
      'Shared_Hugetlb:        0 kB',
      '7f0000000000-7f0000400000 rw-s 00000000 00:01 7                          /memfd:guest-ram (deleted)',
      'Rss:                4096 kB',
      'Private_Hugetlb:       0 kB',
      '7f0100000000-7f0100021000 rw-p 00000000 00:00 0 ',
      'Rss:                  12 kB',
      '7f0200000000-7f0200400000 rw-s 00000000 00:0f 9                          /memfd:guest-ram (deleted)',
      'Rss:                   0 kB',
      'Shared_Hugetlb:     4096 kB',
    ].join('\n')
    assert.equal(parseOwnRssKb(smaps), 52)
  })
})
