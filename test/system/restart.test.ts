import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { askSwitch } from '../../src/drivers/switch/client.js'
import { testFolderPrefix } from './host-state.js'
import { PlayTraffic } from './play-traffic.js'
import { runCli } from './run-cli.js'
import { editState } from './state-file.js'

/** RESTARTS=50 before a release. */
const restarts = Number(process.env.RESTARTS ?? 5)

/** VIRTIO_NET_F_MRG_RXBUF, which every back end of today offers. */
const mergeable = 1n << 15n

describe('switch restart under traffic', function () {
  this.timeout(120_000 + restarts * 5_000)
  const base = mkdtempSync(join(tmpdir(), testFolderPrefix.slice(1)))
  const env = { VHOSTKIT_RUN_DIR: join(base, 'run'), VHOSTKIT_STATE_DIR: join(base, 'state') }
  const control = join(base, 'run/switch.sock')
  const sockets = [join(base, 'one.sock'), join(base, 'two.sock')]
  let traffic: PlayTraffic

  const run = async (...words: string[]) => {
    const { exitCode, stderr } = await runCli(words, env)
    assert.equal(exitCode, 0, stderr)
  }

  before(async () => {
    await run('switch', 'start')
    traffic = new PlayTraffic(sockets)
    await traffic.line('listening')
    for (const [index, socket] of sockets.entries()) {
      await askSwitch(control, 'port.add', { name: `vm${index}`, kind: 'vhost-user', network: 'lan', socket })
    }
    await traffic.line('flowing')
  })
  after(async () => {
    traffic.kill()
    await runCli(['switch', 'stop'], env)
    rmSync(base, { recursive: true, force: true })
  })

  it('loses and repeats nothing, and offers what it offered', async () => {
    const gaps: number[] = []
    for (let round = 1; round <= restarts; round++) {
      await traffic.ask('begin', 'begun')
      await run('switch', 'restart')
      const { gap_ns = 0, repeated, corrupt } = await traffic.ask('figures', 'gap_ns')
      gaps.push(gap_ns / 1e6)
      assert.deepEqual([repeated, corrupt], [0, 0], `restart ${round}`)
      for (const machine of [0, 1]) assert.equal(traffic.offered(machine).length, round + 1)
    }
    for (const machine of [0, 1]) assert.equal(new Set(traffic.offered(machine)).size, 1)
    const { ports } = await askSwitch(control, 'port.list')
    assert.deepEqual(
      ports.map(({ state, last_error }) => [state, last_error]),
      [
        ['up', null],
        ['up', null],
      ],
    )
    gaps.sort((a, b) => a - b)
    const [median, most] = [gaps[Math.floor(gaps.length / 2)] ?? 0, gaps.at(-1) ?? 0]
    console.log(
      `      ${restarts} restarts: without a frame for ${median.toFixed(1)} ms (median), ${most.toFixed(1)} ms (longest)`,
    )
    assert.ok(most < 5_000, 'a restart that takes seconds is no restart')
  })

  it('offers what an older switch offered, although it could offer more', async () => {
    await run('switch', 'stop')
    // As a switch without mergeable buffers would have left it.
    const path = join(base, 'run/switch-state.json')
    const state = readFileSync(path, 'utf8')
    const whole = BigInt(traffic.offered(0)[0] ?? '0')
    assert.notEqual(whole & mergeable, 0n)
    const less = `0x${(whole & ~mergeable).toString(16)}`
    const edited = editState(state, (port) =>
      BigInt(port.offered ?? '0') === whole ? { ...port, offered: less } : port,
    )
    assert.notEqual(edited, state, state)
    writeFileSync(path, edited)
    await run('switch', 'start')
    for (const words of [['switch', 'restart'], []]) {
      for (const machine of [0, 1]) {
        await traffic.ask('figures', 'gap_ns')
        assert.equal(traffic.offered(machine).at(-1), less)
      }
      if (words.length > 0) await run(...words)
    }
  })

  it('and in the end every frame has arrived', async () => {
    const { received = 0, repeated } = await traffic.end()
    assert.ok(received > 1_000)
    assert.equal(repeated, 0)
    console.log(`      ${received} frames, 0 lost, 0 corrupt, 0 twice`)
  })
})
