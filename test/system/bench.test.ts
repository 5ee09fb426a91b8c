import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { benchSchema } from '../bench/bench-schema.js'
import { checkWellFormed } from '../bench/well-formed.js'
import { requireRoot } from './host-state.js'
import { startCli } from './run-cli.js'

const bench = [process.execPath, 'dist/native/bench/main.js']

/** What the bench could leave behind; its processes have its folder, or its DPDK prefix, in their arguments. */
function lookForTraces() {
  const ours = (pid: string) => {
    try {
      return /vhostkit-bench-|=vkb-/.test(readFileSync(`/proc/${pid}/cmdline`, 'utf8'))
    } catch {
      return false
    }
  }
  return {
    processes: readdirSync('/proc').filter((name) => /^\d+$/.test(name) && ours(name)),
    folders: readdirSync(tmpdir()).filter((name) => name.startsWith('vhostkit-bench-')),
    hugepages: /HugePages_Total:\s+(\d+)/.exec(readFileSync('/proc/meminfo', 'utf8'))?.[1],
  }
}

describe('the bench', () => {
  before(function () {
    requireRoot(this)
  })

  let atFirst: ReturnType<typeof lookForTraces>
  beforeEach(() => {
    atFirst = lookForTraces()
  })
  afterEach(() => {
    assert.deepEqual(lookForTraces(), atFirst)
  })

  it('prints one JSON object of the shape it promises, and leaves nothing', async () => {
    const words = ['--json', '--sizes', '64,9000', '--runs', '2', '--peers', 'none', '--frontends', 'ours']
    const { stdout, stderr, exitCode } = await startCli([...words, '--seconds', '0.2'], {}, bench).result
    assert.equal(exitCode, 0, stderr)
    const result = benchSchema.parse(JSON.parse(stdout))
    assert.deepEqual(
      result.rows.map(({ peer, size, runs }) => [peer, size, runs]),
      [
        ['vhostkit', 64, 2],
        ['vhostkit', 9000, 2],
      ],
    )
    for (const row of result.rows) {
      assert.ok(row.mpps.min > 0.001, JSON.stringify(row))
      assert.ok(row.cycles_per_frame.min > 10, JSON.stringify(row))
    }
    assert.deepEqual(
      result.floor.map(({ size }) => size),
      [64, 9000],
    )
  })

  it('measures every other workload, with the kernel beside, and leaves nothing', async () => {
    const workloads = 'tso,checksums,ports,addresses,latency,quiet,outage'
    const words = ['--json', '--workloads', workloads, '--peers', 'kernel', '--runs', '1', '--kills', '2']
    const folder = mkdtempSync(join(tmpdir(), 'vhostkit-report-'))
    const options = [...words, '--seconds', '0.2', '--report', folder]
    const { stdout, stderr, exitCode } = await startCli(options, {}, bench).result
    assert.equal(exitCode, 0, stderr)
    checkWellFormed(readFileSync(join(folder, 'index.html'), 'utf8'))
    rmSync(folder, { recursive: true })
    const result = benchSchema.parse(JSON.parse(stdout))
    const measured = result.rows.map(({ peer, workload, ports, addresses }) =>
      [peer, workload, ports, addresses].join(' '),
    )
    for (const peer of ['vhostkit', 'kernel'])
      for (const shape of [
        'tso 2 1',
        'checksums 2 1',
        'ports 2 1',
        'ports 8 1',
        'ports 64 1',
        'addresses 2 500',
        'addresses 2 50000',
      ])
        assert.ok(measured.includes(`${peer} ${shape}`), `${peer} ${shape} is missing in ${measured}`)
    assert.ok(measured.includes('vhostkit ports 1 1'))
    for (const row of result.rows) {
      assert.ok(row.mpps.min > 0.0005, JSON.stringify(row))
      assert.ok(row.cycles_per_frame.min > 10, JSON.stringify(row))
    }
    assert.deepEqual(
      result.latency?.map(({ peer, load }) => [peer, load]),
      [
        ['vhostkit-adaptive', 'idle'],
        ['vhostkit-adaptive', '10 %'],
        ['vhostkit-poll', 'idle'],
        ['vhostkit-poll', '10 %'],
      ],
    )
    assert.equal(result.outage?.kills, 2)
    assert.ok((result.quiet?.rss_mb.median ?? 0) > 1)
    assert.ok(result.missing.some(({ what, why }) => what === 'latency of kernel' && why !== ''))
    assert.match(result.versions.kernel ?? '', /bridge/)
  }).timeout(120_000)

  it('leaves nothing when it is interrupted', async () => {
    const run = startCli(['--sizes', '64', '--runs', '50', '--peers', 'ovs,testpmd'], {}, bench)
    await run.line(/round 1 of 50/)
    assert.ok(lookForTraces().processes.length > atFirst.processes.length)
    run.child.kill('SIGINT')
    const { exitCode, stderr, stdout } = await run.result
    assert.equal(exitCode, 1)
    assert.match(stderr, /Interrupted/)
    assert.equal(stdout, '')
  }).timeout(60_000)

  it('refuses what it does not know', async () => {
    const { exitCode, stderr, stdout } = await startCli(['--peers', 'vpp'], {}, bench).result
    assert.equal(exitCode, 2)
    assert.match(stderr, /--peers wants some of .*found "vpp"/)
    assert.equal(stdout, '')
  })
})
