import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { explanations } from '../../src/core/doctor/troubleshooting.js'
import { examineFolders } from '../../src/host/examine-folders.js'
import { startCli } from './run-cli.js'

/** Commands of other programs that `explain` and docs/troubleshooting.md say, to look with or to mend with. */
function commandsOf(part: 'look' | 'mend'): string[] {
  const texts = explanations().map((one) => one[part])
  const all = texts.flatMap((text) => [...text.matchAll(/`([^`]+)`/g)].map(([, command = '']) => command))
  return [...new Set(all)].filter((command) => !/^(vhostkit |-)/.test(command))
}

/** Those only read. */
const looks = commandsOf('look')

/** What a shell or a program says to words that it does not know. */
const misspelt = /unknown|unrecognized|invalid option|not found|bad usage/i

describe('where to look', () => {
  it('is said by commands', () => assert.ok(looks.length > 40, looks.join('\n')))

  // What they find is the host's; that the program is there and knows the words is ours.
  for (const command of looks) {
    it(command, async () => {
      const { exitCode, stderr } = await startCli(['-c', command], { LC_ALL: 'C' }, ['bash']).result
      assert.ok(exitCode !== 126 && exitCode !== 127 && !misspelt.test(stderr), `${exitCode}: ${stderr}`)
    })
  }

  it('would not be said by one that is not there, or has other options', async () => {
    for (const [command, pattern] of [
      ['nvmastat', /not found/],
      ['ls --colour-me', misspelt],
    ] as const)
      assert.match((await startCli(['-c', command], { LC_ALL: 'C' }, ['bash']).result).stderr, pattern)
  })
})

/** Each that mends something, carried out on something of the test's own; it ends with a check of what it is for. */
const trials: Record<string, string> = {
  'qemu-img info': 'qemu-img create -q -f qcow2 a 1M && qemu-img info a | grep "file format: qcow2"',
  'qemu-img convert -O qcow2 OLD NEW':
    'truncate -s 1M OLD && qemu-img convert -O qcow2 OLD NEW && qemu-img info NEW | grep "file format: qcow2"',
  'qemu-img resize':
    'qemu-img create -q -f qcow2 a 1M && qemu-img resize -q a 2M && qemu-img info a | grep "2 MiB (2097152"',
  'virsh dumpxml': 'virsh -c test:///default dumpxml test | grep "<name>test</name>"',
  // An editor that changes nothing is asked, and virsh says so.
  'virsh edit DOMAIN': 'EDITOR=true virsh -c test:///default edit test | grep "not changed"',
  'ip link': 'ip link | grep LOOPBACK',
  'kill -CONT PID': `sleep 60 > /dev/null 2>&1 &
    becomes() { for _ in $(seq 100); do ps -o stat= -p $1 | grep -q "^$2" && return; sleep 0.05; done; false; }
    kill -STOP $! && becomes $! T && kill -CONT $! && becomes $! '[SR]'
    was=$?; kill -KILL $!; exit $was`,
}

/** Those would change the kernel of everybody, so only who has them is said: a package of Debian. */
const untried: Record<string, string> = {
  'modprobe tun': 'kmod, on which each kernel of Debian depends',
  'echo madvise > /sys/kernel/mm/transparent_hugepage/enabled': 'the shell',
  'cpupower frequency-set -g performance': 'linux-cpupower, which the advice names',
}

describe('what to do', () => {
  let folder = ''
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'vkt-'))
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  it('is tried, or there is a reason why not', () => {
    const known = [...Object.keys(trials), ...Object.keys(untried), 'chmod o-w']
    assert.deepEqual(commandsOf('mend').sort(), known.sort())
    const governor = explanations().find(({ code }) => code === 'governor-slow')
    assert.match(governor?.mend ?? '', /linux-cpupower/)
  })

  for (const [command, trial] of Object.entries(trials)) {
    it(command, async () => {
      const script = `cd ${folder}\n${trial}`
      const { exitCode, stdout, stderr } = await startCli(['-c', script], { LC_ALL: 'C' }, ['bash']).result
      assert.equal(exitCode, 0, stdout + stderr)
    })
  }

  it('chmod o-w: as doctor says it, after which it has nothing more to say', async () => {
    const run = join(folder, 'run')
    mkdirSync(run)
    chmodSync(run, 0o777)
    const find = async () =>
      (await examineFolders({ run, state: folder })).map(({ code, fix }) => ({ code, fix }))
    const [open] = await find()
    assert.deepEqual(open, { code: 'folder-open', fix: `chmod o-w ${run}` })
    const { exitCode, stderr } = await startCli(['-c', open?.fix ?? ''], {}, ['bash']).result
    assert.equal(exitCode, 0, stderr)
    assert.deepEqual((await find())[0], { code: null, fix: '' })
  })
})
