import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { askSwitch } from '../../src/drivers/switch/client.js'
import { parseMetrics } from '../cli/seeing/parse-metrics.js'
import { testFolderPrefix } from './host-state.js'
import { type CliRun, runCli, startCli } from './run-cli.js'
import { sendSignal } from './send-signal.js'

/** The real switch, with ports that nobody is attached to. */
describe('seeing', () => {
  const base = mkdtempSync(join(tmpdir(), testFolderPrefix.slice(1)))
  const env = { VHOSTKIT_RUN_DIR: join(base, 'run'), VHOSTKIT_STATE_DIR: join(base, 'state'), NO_COLOR: '1' }
  const control = join(base, 'run/switch.sock')
  const addPort = (name: string) =>
    askSwitch(control, 'port.add', {
      name,
      kind: 'vhost-user',
      network: 'lan',
      socket: join(base, `${name}.sock`),
    })

  before(async () => {
    const { exitCode, stderr } = await runCli(['switch', 'start'], env)
    assert.equal(exitCode, 0, stderr)
    await addPort('one')
  })
  after(async () => {
    await runCli(['switch', 'stop'], env)
    rmSync(base, { recursive: true, force: true })
  })

  it('events go on through a restart of the switch', async () => {
    const run = startCli(['events', '--json', '--for', '30'], env)
    const types = () =>
      run.output.stdout
        .split('\n')
        .filter(Boolean)
        .map((line) => (JSON.parse(line) as { type: string }).type)
    await until('a subscription', async () => {
      await addPort('two').catch(() => undefined)
      await askSwitch(control, 'port.del', { name: 'two' })
      return types().includes('port.deleted')
    })
    await runCli(['switch', 'restart'], env)
    await until('the switch to be back', async () => types().includes('switch.back'))
    await addPort('three')
    await until('an event after it', async () => types().at(-1) === 'port.added')
    run.child.kill('SIGINT')
    const { exitCode, stdout } = await run.result
    assert.equal(exitCode, 0)
    assert.ok(types().indexOf('switch.away') < types().indexOf('switch.back'))
    assert.match(stdout, /"type":"switch.back","pid":\d+,"starts":1/)
    await askSwitch(control, 'port.del', { name: 'three' })
  })

  const captures = async () => {
    const { stdout } = await runCli(['switch', 'ports', '--json'], env)
    const { ports } = JSON.parse(stdout) as { ports: { captures?: unknown[] }[] }
    return ports.reduce((sum, { captures: clients = [] }) => sum + clients.length, 0)
  }
  const capture = async (...more: string[]) => {
    const run = startCli(['capture', 'one', '--write', join(base, 'one.pcapng'), ...more], env)
    await until('the capture', async () => (await captures()) === 1)
    return run
  }

  it('a capture is gone with its command, however that ends', async () => {
    const ends: [() => Promise<CliRun>, (run: CliRun) => void, number | null][] = [
      [() => capture(), (run) => void run.child.kill('SIGKILL'), null],
      [() => capture(), (run) => void run.child.kill('SIGINT'), 0],
      [() => capture('--seconds', '3'), () => undefined, 0],
    ]
    for (const [begin, end, code] of ends) {
      const run = await begin()
      const { stdout } = await runCli(['switch', 'ports'], env)
      assert.match(stdout, /^CAPTURED: port one, by 1 client; 0 frames lost$/m)
      end(run)
      assert.equal((await run.result).exitCode, code)
      await until('no capture', async () => (await captures()) === 0)
    }
    const read = await startCli(['-M', '-c', '-l', join(base, 'one.pcapng')], {}, ['capinfos']).result
    assert.equal(read.exitCode, 0, read.stderr)
    assert.match(read.stdout, /Number of packets: +0/)
  })

  it('a capture ends when the switch is restarted or the port removed, and says which', async () => {
    const restarted = await capture()
    await runCli(['switch', 'restart'], env)
    const first = await restarted.result
    assert.deepEqual([first.exitCode, first.stdout], [1, ''])
    assert.match(first.stderr, /ended after 0 frames: the switch was restarted/)
    const removed = await capture('--json')
    await askSwitch(control, 'port.del', { name: 'one' })
    const second = await removed.result
    assert.match(second.stdout, /"code":"capture-ended".*the port was removed/)
    await addPort('one')
  })

  it('a capture that cannot be is refused, and touches no file', async () => {
    const file = join(base, 'kept')
    writeFileSync(file, 'kept')
    const refused: [string[], number, RegExp][] = [
      [['nobody', '--write', file], 1, /has no port nobody; it has one/],
      [['one', '--write', file, '--filter', 'tcp prot 80'], 2, /of "tcp prot 80" it says/],
      [['one', '--write', file, '--filter', '-w/tmp/x'], 2, /--filter takes/],
      [['one', '--write', file, '--snaplen', '63'], 2, /--snaplen takes a whole number, 64 to 65535/],
      [['one', '--json'], 2, /--json prints its object on stdout/],
    ]
    for (const [words, code, pattern] of refused) {
      const { exitCode, stdout, stderr } = await runCli(['capture', ...words], env)
      assert.equal(exitCode, code, words.join(' '))
      assert.match(stdout + stderr, pattern)
    }
    assert.equal(readFileSync(file, 'utf8'), 'kept')
    const terminal = `${process.execPath} bin/vhostkit.js capture one`
    const { stdout } = await startCli(['-qec', terminal, '/dev/null'], env, ['script']).result
    assert.match(stdout, /Stdout is a terminal/)
  })

  it('metrics are for a strict reader, once and over HTTP, also while the switch is away', async () => {
    const { exitCode, stdout } = await runCli(['switch', 'metrics'], env)
    assert.equal(exitCode, 0)
    const families = parseMetrics(stdout)
    const dropped = families.get('vhostkit_port_dropped_frames_total')?.samples ?? []
    assert.ok(dropped.length > 15 && dropped.every(({ labels }) => labels.port === 'one'))
    const run = startCli(['switch', 'metrics', '--listen', '0'], env)
    try {
      await until('the address', async () => run.output.stdout.includes('/metrics'))
      const url = /http:\/\/127\.0\.0\.1:\d+\/metrics/.exec(run.output.stdout)?.[0] ?? ''
      const scrape = async () =>
        parseMetrics(await (await fetch(url)).text()).get('vhostkit_up')?.samples[0]?.value
      assert.equal(await scrape(), 1)
      await runCli(['switch', 'stop'], env)
      assert.equal(await scrape(), 0)
      await runCli(['switch', 'start'], env)
      assert.equal(await scrape(), 1)
    } finally {
      run.child.kill('SIGTERM')
      assert.equal((await run.result).exitCode, 0)
    }
  })

  it('top prints one table without a terminal, and JSON', async () => {
    const { exitCode, stdout } = await runCli(['top'], env)
    assert.equal(exitCode, 0)
    assert.match(stdout, /^vhostkit-switch .*\n.*\n/)
    assert.match(stdout, /^one +lan +waiting +- +0 /m)
    const { stdout: json } = await runCli(['top', '--json'], env)
    const view = JSON.parse(json) as { seconds: number; ports: { name: string }[] }
    assert.ok(view.seconds > 0.9)
    assert.equal(view.ports[0]?.name, 'one')
  })

  for (const [how, end] of [
    ['q', (run: CliRun) => void run.child.stdin?.write('q')],
    ['Ctrl-C', (run: CliRun) => void run.child.stdin?.write('\x03')],
    ['SIGTERM', endInner],
  ] as const) {
    it(`top on a terminal gives it back after ${how}`, async () => {
      // script(1) gives it a terminal of 60 columns; what is printed comes to us.
      const command = `stty cols 60 rows 12; echo before:$(stty -g); echo $$ >&2; ${process.execPath} bin/vhostkit.js top; echo code:$? after:$(stty -g)`
      const run = startCli(['-qfec', command, '/dev/null'], env, ['script'])
      await until('the first screen', async () => run.output.stdout.includes('one '))
      end(run)
      const stdout = (await run.result).stdout.replaceAll(String.fromCharCode(27), '<ESC>')
      const [, screen = '', rest = ''] =
        /<ESC>\[\?1049h<ESC>\[\?25l([\s\S]*)<ESC>\[\?25h<ESC>\[\?1049l([\s\S]*)/.exec(stdout) ?? []
      assert.match(screen, /q quit/)
      for (const line of screen.split(/\r\n|<ESC>\[H/)) {
        assert.ok(line.replace(/<ESC>\[[0-9;?]*[A-Za-z]/g, '').length <= 60, line)
      }
      const before = /before:(\S+)/.exec(stdout)?.[1]
      assert.ok(before !== undefined)
      assert.equal(/code:0 after:(\S+)/.exec(rest)?.[1], before)
    })
  }
})

/** The command below the shell below script(1). */
function endInner(run: CliRun): void {
  const children = (pid: number): number[] =>
    readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map(Number)
      .filter((one) => {
        try {
          return readFileSync(`/proc/${one}/stat`, 'utf8').split(') ')[1]?.split(' ')[1] === String(pid)
        } catch {
          return false
        }
      })
  const all = (pid: number): number[] => children(pid).flatMap((one) => [one, ...all(one)])
  const node = all(run.child.pid ?? 0).find((pid) =>
    readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('\0top'),
  )
  sendSignal(node, 'SIGTERM')
}

async function until(what: string, condition: () => Promise<boolean>): Promise<void> {
  for (const end = performance.now() + 15_000; !(await condition()); await sleep(50)) {
    assert.ok(performance.now() < end, `waited 15 s for ${what}`)
  }
}
