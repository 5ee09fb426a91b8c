import assert from 'node:assert/strict'
import { isOk, summarizeOutages } from '../../src/demo/demo-result.js'
import { guestAddress } from '../../src/demo/demo-spec.js'
import { parseKernelPackage } from '../../src/demo/guest/kernel.js'
import { parsePing } from '../../src/demo/parse-ping.js'
import { parseProbeReport } from '../../src/demo/parse-probe-report.js'
import { percentile } from '../../src/demo/percentile.js'
import { overlaps } from '../../src/demo/routes.js'
import { parseRoutes } from '../../src/host/routes.js'

describe('demo', () => {
  it('reads both kinds of ping', () => {
    const busybox =
      '@c2 20 packets transmitted, 19 packets received, 5% packet loss\n@c2 round-trip min/avg/max = 0.9/5.6/14.6 ms\n'
    assert.deepEqual(parsePing(busybox), { sent: 20, received: 19, rttAvgMs: 5.6 })
    const iputils =
      '10 packets transmitted, 10 received, 0% packet loss, time 1806ms\nrtt min/avg/max/mdev = 0.3/0.4/0.6/0.1 ms\n'
    assert.deepEqual(parsePing(iputils), { sent: 10, received: 10, rttAvgMs: 0.4 })
    const silent = '10 packets transmitted, 0 received, 100% packet loss, time 9ms\n'
    assert.deepEqual(parsePing(silent), { sent: 10, received: 0, rttAvgMs: null })
    assert.deepEqual(parsePing(''), { sent: 0, received: 0, rttAvgMs: null })
  })

  it('reads what the probe reports', () => {
    const text = 'sent=9 answered=8 duplicates=0 lost=1 errors=0 gap_us=20500 since_us=100'
    const report = { sent: 9, answered: 8, duplicates: 0, lost: 1, gapMs: 20.5, sinceMs: 0.1 }
    assert.deepEqual(parseProbeReport(text), report)
  })

  it('gives the median and the worst', () => {
    assert.equal(percentile([5, 1, 3], 50), 3)
    assert.equal(percentile([4, 1, 2, 3], 50), 2)
    assert.equal(percentile([], 50), 0)
    const outages = [10.04, 30, 20].map((gapMs) => ({ gapMs, lost: 1, duplicates: 0 }))
    assert.deepEqual(summarizeOutages(outages), {
      kills: 3,
      outage_ms: { p50: 20, max: 30 },
      each: [10, 30, 20],
      lost: 3,
      duplicates: 0,
    })
  })

  it('is ok only when everything answered and nothing is left', () => {
    const good = {
      driver: 'qemu',
      accel: 'tcg',
      memory: 'memfd',
      boot_ms: [1, 2],
      ping: { sent: 2, received: 2, rtt_avg_ms: 1 },
      host_ping: { sent: 2, received: 2 },
      reconnect: summarizeOutages([{ gapMs: 1, lost: 0, duplicates: 0 }]),
      vm_restart_ms: 1,
      left_behind: [],
    }
    assert.equal(isOk(good, 1), true)
    assert.equal(isOk(good, 2), false)
    assert.equal(isOk({ ...good, left_behind: ['tap vk0'] }, 1), false)
    assert.equal(isOk({ ...good, host_ping: { sent: 2, received: 1 } }, 1), false)
    assert.equal(isOk({ ...good, ping: { sent: 0, received: 0, rtt_avg_ms: null } }, 1), false)
  })

  it('sees subnets that collide', () => {
    const routes = [
      { dst: 'default', gateway: '10.0.0.1' },
      { dst: '192.168.0.0/16', dev: 'eth0' },
    ]
    assert.deepEqual(parseRoutes(JSON.stringify(routes)), [{ subnet: '192.168.0.0/16', link: 'eth0' }])
    assert.equal(overlaps('192.168.0.0/16', '192.168.77.1/24'), true)
    assert.equal(overlaps('192.168.77.1/24', '192.168.77.200'), true)
    assert.equal(overlaps('192.168.76.0/24', '192.168.77.1/24'), false)
    assert.equal(overlaps('0.0.0.0/0', '10.1.2.3'), true)
  })

  it('gives each guest an address above the host', () => {
    assert.deepEqual(
      [0, 1].map((index) => guestAddress('192.168.77.1/24', index)),
      ['192.168.77.11/24', '192.168.77.12/24'],
    )
  })

  it('finds the kernel that the metapackage stands for', () => {
    const depends = 'linux-image-cloud-amd64\n  Depends: linux-image-6.1.0-56-cloud-amd64\n'
    assert.equal(parseKernelPackage(depends), 'linux-image-6.1.0-56-cloud-amd64')
    assert.equal(parseKernelPackage(''), null)
  })
})
