import assert from 'node:assert/strict'
import { compilePolicy, guestPolicy, profile } from '../templates/apparmor-policy.js'
import { runLab } from './lab-machine.js'

/** A line of native/test/lab/confined_lab.c. */
interface ConfinedStep {
  step: string
  passed?: number
  supervisor?: string
  switch?: string
  guests?: string
  bytes?: number
  exit?: number
  socket?: number
  log?: number
}

const build = 'native/build'
const eacces = 13
const framesBothWays = 80

function binaryOf(policy: string): Uint8Array {
  const { binary, stderr } = compilePolicy(policy)
  assert.ok(binary !== null, stderr)
  return binary
}

/** What the kernel refused: by which profile, and where; no path when it was not about a file. */
function readDenied(text: string): { profile: string; path: string }[] {
  return text
    .split('\n')
    .filter((line) => line.includes('apparmor="DENIED"'))
    .map((line) => ({
      profile: / profile="([^"]+)"/.exec(line)?.[1] ?? '',
      path: / name="([^"]+)"/.exec(line)?.[1] ?? line,
    }))
}

/** The switch and its guests on a host whose kernel enforces templates/apparmor: this one's may have no AppArmor. */
describe('AppArmor, enforced', function () {
  this.timeout(240_000)
  let steps = new Map<string, ConfinedStep>()
  let output = ''

  before(async () => {
    const lab = await runLab<ConfinedStep>({
      init: 'native/test/lab/confined-init',
      programs: {
        'usr/bin/vhostkit-switch': `${build}/vhostkit-switch`,
        'bin/confined-lab': `${build}/test/confined-lab`,
      },
      files: {
        'policies/switch': binaryOf(profile),
        'policies/qemu': binaryOf(guestPolicy('vhostkit-lab-qemu')),
        'etc/passwd': 'root:x:0:0::/:/bin/sh\nvhostkit:x:900:900::/:/bin/sh\n',
        'etc/group': 'root:x:0:\nvhostkit:x:900:\n',
      },
      hardware: ['-smp', '2', '-m', '512M'],
    })
    steps = new Map(lab.steps.map((step) => [step.step, step]))
    output = lab.output
  })

  it('holds the switch, its supervisor and the guests, and frames pass', () => {
    assert.deepEqual(steps.get('traffic'), {
      step: 'traffic',
      supervisor: 'vhostkit-switch (enforce)',
      switch: 'vhostkit-switch (enforce)',
      guests: 'vhostkit-lab-qemu (enforce)',
      passed: framesBothWays,
    })
  })

  it('lets a mirror write its file', () => {
    const bytes = steps.get('mirror')?.bytes ?? 0
    assert.ok(bytes > framesBothWays * 200, `${bytes} bytes`)
  })

  it('holds the next process after a crash, and frames pass', () => {
    const step = { step: 'crash', switch: 'vhostkit-switch (enforce)', passed: framesBothWays }
    assert.deepEqual(steps.get('crash'), step)
  })

  it('lets the switch use hugepages without a name', () => {
    assert.deepEqual(steps.get('hugepages'), { step: 'hugepages', passed: framesBothWays })
  })

  it('keeps the switch to its folder, and says what it may not', () => {
    assert.deepEqual(steps.get('elsewhere'), { step: 'elsewhere', exit: 1 })
    assert.match(output, /\/run\/elsewhere\/log cannot be opened: Permission denied/)
  })

  it('keeps guests in the folders of machines', () => {
    assert.deepEqual(steps.get('guests'), { step: 'guests', socket: eacces, log: eacces })
  })

  it('refuses nothing else', () => {
    const places = new Set(readDenied(output).map(({ profile: by, path }) => `${by} ${path}`))
    assert.deepEqual([...places].sort(), [
      'vhostkit-lab-qemu /run/vhostkit/captures/guest.sock',
      'vhostkit-lab-qemu /run/vhostkit/switch.log',
      'vhostkit-switch /run/elsewhere/log',
    ])
  })
})
