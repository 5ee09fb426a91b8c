import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { parsePmdStats } from '../../native/bench/ovs-output.js'
import { parseForwardCycles, parseReceived, parseReceiveRate } from '../../native/bench/testpmd-output.js'

/** What Open vSwitch 3.1.0 and the testpmd of DPDK 22.11 printed for the bench on 2026-11-24. */
const sample = (name: string) => readFileSync(`test/bench/samples/${name}.txt`, 'utf8')

describe('captured output of the other switches', () => {
  it('pmd-stats-show: processing cycles and packets of the poll-mode thread alone', () => {
    assert.deepEqual(parsePmdStats(sample('pmd-stats-show')), { processingCycles: 479746113, packets: 58432 })
  })

  it('show fwd stats all: cycles of both ports together', () => {
    assert.equal(parseForwardCycles(sample('show-fwd-stats-all'))?.toFixed(2), '5518.31')
  })

  it('show port stats all: received frames and their rate, of both ports', () => {
    assert.deepEqual(parseReceived(sample('show-port-stats-all')), [76288, 76288])
    assert.equal(parseReceiveRate(sample('show-port-stats-all')), 143835 + 143732)
  })
})
