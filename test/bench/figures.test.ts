import assert from 'node:assert/strict'
import { Belongings } from '../../native/bench/belongings.js'
import { measureInOneMode } from '../../native/bench/crossing.js'
import { parseFloor } from '../../native/bench/floor.js'
import { ringEntries } from '../../native/bench/frontends/ours.js'
import { parseCpu } from '../../native/bench/machine.js'
import { parsePmdStats } from '../../native/bench/ovs-output.js'
import { sizeClasses } from '../../native/bench/plans.js'
import type { Sample } from '../../native/bench/session.js'
import { median, spreadOf } from '../../native/bench/statistics.js'
import {
  summariseCrossing,
  summariseFloor,
  summariseRatios,
  summariseRows,
} from '../../native/bench/summary.js'
import { parseForwardCycles, parseReceiveRate } from '../../native/bench/testpmd-output.js'

const sample = (peer: string, round: number, mpps: number, cyclesPerFrame = 100): Sample => ({
  peer,
  frontend: 'ours',
  workload: 'vm-vm',
  size: 64,
  ports: 2,
  addresses: 1,
  round,
  mpps,
  cyclesPerFrame,
  generatorCycles: 50,
  cyclesSource: 'told',
})

describe('bench figures', () => {
  it('takes the median of odd and even numbers of runs', () => {
    assert.equal(median([3, 1, 2]), 2)
    assert.equal(median([4, 1, 2, 3]), 2.5)
    assert.deepEqual(spreadOf([1.23456, 9, 5]), { median: 5, min: 1.235, max: 9 })
  })

  it('makes one row of the runs of one kind', () => {
    const samples = [sample('vhostkit', 0, 10), sample('ovs', 0, 5, 400), sample('vhostkit', 1, 12)]
    const [ours, ovs] = summariseRows(samples, 2000)
    assert.deepEqual(ours?.mpps, { median: 11, min: 10, max: 12 })
    assert.equal(ours?.runs, 2)
    assert.equal(ours?.busy, 0.55) // 100 cycles for each of 11 M frames, of 2000 M cycles
    assert.equal(ovs?.busy, 1)
  })

  it('compares each run with the one beside it', () => {
    // The machine was twice as slow in the second round: that changes no ratio.
    const samples = [
      sample('vhostkit', 0, 10),
      sample('ovs', 0, 5),
      sample('vhostkit', 1, 5),
      sample('ovs', 1, 2.5),
    ]
    assert.deepEqual(summariseRatios(samples), [
      { peer: 'ovs', frontend: 'ours', workload: 'vm-vm', size: 64, mpps: { median: 2, min: 2, max: 2 } },
    ])
  })

  it('keeps the floor by size', () => {
    const floor = summariseFloor([
      { size: 64, cycles: 18 },
      { size: 1518, cycles: 80 },
      { size: 64, cycles: 20 },
    ])
    assert.deepEqual(floor, [
      { size: 64, cycles: 19, min: 18, max: 20 },
      { size: 1518, cycles: 80, min: 80, max: 80 },
    ])
    const run = parseFloor('{"tsc_mhz": 2095.991}\n{"size": 64, "cycles": 17.00}\n')
    assert.equal(run.tscMhz, 2095.991)
    assert.equal(run.cycles.get(64), 17)
  })

  it('measures again what two modes of the machine were mixed in, but not for ever', async () => {
    const crossings = [45, 46, 210, 208, 207, 209, 44]
    const cross = async () => crossings.shift() ?? 44
    let measured = 0
    const measures = [async () => ++measured, async () => ++measured]
    const watch = { seen: [], spare: 2, repeated: 0 }
    assert.deepEqual(await measureInOneMode(watch, cross, measures, () => {}), [3, 4])
    assert.deepEqual(watch, { seen: [45, 46, 210, 208, 207, 209], spare: 1, repeated: 1 })
    crossings.splice(0, Infinity, 44, 44, 210, 210, 44, 44, 44, 210, 210)
    assert.deepEqual(await measureInOneMode(watch, cross, measures, () => {}), [7, 8])
    assert.equal(watch.spare, 0)
    assert.deepEqual(summariseCrossing([{ seen: [40, 50], spare: 0, repeated: 2 }]), {
      ns: { median: 45, min: 40, max: 50 },
      repeated: 2,
    })
  })

  it('gives jumbo frames a session of their own', () => {
    assert.deepEqual(sizeClasses([64, 9000, 1518]), [[64, 1518], [9000]])
    assert.deepEqual(sizeClasses([64]), [[64]])
  })

  it('keeps the frames on their way the same for all numbers of ports', () => {
    assert.deepEqual(
      [2, 8, 64].map((ports) => ringEntries(ports, 64)),
      [1024, 256, 64],
    )
  })

  it('gives back in reverse, and goes on when one fails', async () => {
    const belongings = new Belongings()
    const given: string[] = []
    belongings.add('first', async () => void given.push('first'))
    belongings.add('second', () => Promise.reject(new Error('stuck')))
    belongings.add('third', async () => void given.push('third'))
    assert.deepEqual(await belongings.giveBack(), ['second could not be given back: stuck'])
    assert.deepEqual(given, ['third', 'first'])
    assert.deepEqual(await belongings.giveBack(), [])
  })
})

describe('what the other switches print', () => {
  it('testpmd: cycles of its cores', () => {
    const text = [
      '  +++++++++++++++ Accumulated forward statistics for all ports+++++++++++++++',
      '  RX-packets: 10734816       RX-dropped: 0             RX-total: 10734816',
      '  TX-packets: 10734816       TX-dropped: 0             TX-total: 10734816',
      '',
      '  CPU cycles/packet=194.87 (total cycles=2091874776 / total io packets=10734816) at 2100 MHz Clock',
      'testpmd> ',
    ].join('\n')
    assert.equal(Math.round((parseForwardCycles(text) ?? 0) * 100) / 100, 194.87)
    assert.equal(parseForwardCycles('  RX-packets: 0\ntestpmd> '), null)
  })

  it('testpmd: frames a second of both ports', () => {
    const text = [
      '  ######################## NIC statistics for port 0  ########################',
      '  RX-packets: 51705184   RX-missed: 0          RX-bytes:  3309131776',
      '  Throughput (since last show)',
      '  Rx-pps:      5381978          Rx-bps:   2755573112',
      '  Tx-pps:      5381978          Tx-bps:   2755573112',
      '  ######################## NIC statistics for port 1  ########################',
      '  Rx-pps:      5381982          Rx-bps:   2755574904',
      '  Tx-pps:      5381982          Tx-bps:   2755574904',
    ].join('\n')
    assert.equal(parseReceiveRate(text), 10763960)
  })

  it('Open vSwitch: cycles and packets of its poll-mode thread', () => {
    const text = [
      'pmd thread numa_id 0 core_id 1:',
      '  packets received: 12062336',
      '  packet recirculations: 0',
      '  avg. datapath passes per packet: 1.00',
      '  emc hits: 12062336',
      '  idle cycles: 4080034592 (62.11%)',
      '  processing cycles: 2488776780 (37.89%)',
      '  avg cycles per packet: 544.57 (6568811372/12062336)',
      '  avg processing cycles per packet: 206.33 (2488776780/12062336)',
      'main thread:',
      '  packets received: 3',
      '  emc hits: 0',
    ].join('\n')
    assert.deepEqual(parsePmdStats(text), { processingCycles: 2488776780, packets: 12062336 })
  })

  it('the CPU with its numbers', () => {
    const core = 'processor\t: 0\ncpu family\t: 26\nmodel\t\t: 2\nmodel name\t: AMD EPYC\n'
    assert.deepEqual(parseCpu(`${core}\n${core}`), { cpu: 'AMD EPYC (family 26, model 2)', cores: 2 })
  })
})
