import type { BenchResult, Row } from '../../native/bench/result.js'

const around = (median: number, min: number, max: number) => ({ median, min, max })

const row = (peer: string, size: number, mpps: Row['mpps'], cycles: Row['mpps']): Row => ({
  peer,
  frontend: peer === 'kernel' ? 'tap' : 'ours',
  workload: 'vm-vm',
  size,
  ports: 2,
  addresses: 1,
  runs: 5,
  mpps,
  cycles_per_frame: cycles,
  busy: 0.99,
  cycles_source: 'told',
  generator_cycles: peer === 'kernel' ? null : 55,
})

/** A result with every part in it, fresh for each call. */
export function sampleResult(): BenchResult {
  return {
    machine: {
      cpu: 'AMD EPYC (family 26, model 2)',
      cores: 2,
      kernel: '6.18.44',
      tsc_mhz: 2096,
      page_bytes: 2097152,
      generator_core: 0,
      switch_core: 1,
    },
    versions: { vhostkit: '0.1.0', ovs: '3.1.0', kernel: 'taps on a bridge' },
    floor: [
      { size: 64, cycles: 18, min: 17, max: 20 },
      { size: 1518, cycles: 80, min: 75, max: 90 },
    ],
    crossing: { ns: around(48, 42, 215), repeated: 2 },
    rows: [
      row('vhostkit', 64, around(20, 18, 22), around(100, 95, 110)),
      row('vhostkit', 1518, around(10, 9, 11), around(190, 180, 210)),
      row('ovs', 64, around(9, 8.5, 9.2), around(220, 214, 233)),
      row('kernel', 64, around(1.25, 1.2, 1.3), around(1670, 1600, 1800)),
    ],
    ratios: [
      { peer: 'kernel', frontend: 'tap', workload: 'vm-vm', size: 64, mpps: around(16, 15, 17) },
      { peer: 'ovs', frontend: 'ours', workload: 'vm-vm', size: 64, mpps: around(2.2, 2.1, 2.4) },
    ],
    missing: [{ what: 'testpmd', why: 'it is not installed' }],
    growth: [
      { peer: 'vhostkit', workload: 'ports', ports: 64, addresses: 1, cycles: around(1.22, 1.13, 1.35) },
    ],
    latency: [
      {
        peer: 'vhostkit-adaptive',
        load: 'idle',
        size: 64,
        runs: 5,
        rate: 1000,
        frames: 10000,
        lost: 0,
        unseen: 3,
        p50_us: around(73, 70, 76),
        p99_us: around(161, 126, 187),
        p999_us: around(1400, 500, 1500),
        max_us: around(1500, 900, 4000),
      },
    ],
    wake_floor: {
      runs: 5,
      p50_us: around(90, 80, 95),
      p99_us: around(290, 200, 300),
      p999_us: around(3e3, 1e3, 4e3),
    },
    quiet: {
      ports: 64,
      runs: 5,
      cpu_percent: around(0.03, 0.02, 0.04),
      rss_mb: around(4.2, 4.1, 4.4),
      start_ms: around(16.5, 15, 25),
      restart_ms: around(34, 31, 37),
    },
    outage: { kills: 4, p50_ms: 12.1, p99_ms: 16, max_ms: 16, all_ms: [11.5, 12.1, 12.5, 16] },
  }
}
