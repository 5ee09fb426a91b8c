import assert from 'node:assert/strict'
import { showFindings } from '../../src/cli/show-findings.js'
import { examineMachines } from '../../src/core/doctor/examine-machines.js'
import { type Finding, fine, note, problem } from '../../src/core/doctor/finding.js'
import { examineStray } from '../../src/drivers/switch/examine-ports.js'

const names = Array.from({ length: 40 }, (_, index) => `many.vm${index + 1}.net0`)

describe('what doctor says to people', () => {
  const show = (findings: Finding[], width: number | null = null) => showFindings(findings, width).join('\n')

  it('names forty ports of no deployment once, and once what to do', () => {
    assert.equal(
      show(examineStray([], names)),
      [
        'note      40 ports: of no deployment any more [port-orphan]',
        `          ${names.join(', ')}`,
        '          The switch was off when its deployment was destroyed, and remembered it.',
        '          `vhostkit switch start` or the next `vhostkit apply` forgets it.',
      ].join('\n'),
    )
    const narrow = showFindings(examineStray([], names), 60)
    assert.ok(
      narrow.every((line) => line.length <= 60),
      narrow.join('\n'),
    )
    const text = narrow.join(' ').replace(/\s+/g, ' ')
    for (const name of names) assert.ok(text.includes(name), name)
  })

  it('keeps apart what differs, and says the worst last', () => {
    assert.equal(
      show([
        problem('node-mismatch', 'port a', 'memory on node 1', 'Slow.', 'Give it a core.'),
        fine('port b', 'up'),
        note('never-connected', 'port c', 'nobody', 'Off.', 'See c.sock.'),
        fine('port d', 'up'),
        note('never-connected', 'port e', 'nobody', 'Off.', 'See e.sock.'),
        problem('node-mismatch', 'port f', 'memory on node 0', 'Slow.', 'Give it a core.'),
        fine('network g', 'up'),
        fine('switch', 'runs'),
      ]),
      `ok        ports b, d: up
ok        network g: up
ok        switch: runs
note      ports c, e: nobody [never-connected]
          Off.
          port c: See c.sock. The others likewise.
PROBLEM   port a: memory on node 1 [node-mismatch]
          Slow.
          Give it a core.
PROBLEM   port f: memory on node 0 [node-mismatch]
          Slow.
          Give it a core.`,
    )
  })

  it('tells of forty machines which are off, silent or halted', () => {
    const states: Record<string, string> = { vm7: 'off', vm17: 'no answer', vm9: 'io-error', vm40: 'off' }
    const machines = names.map((_, index) => {
      const name = `vm${index + 1}`
      return { name, state: states[name] ?? 'running' }
    })
    assert.equal(
      show(examineMachines('many', machines)),
      `ok        36 machines: running
note      machines many/vm7, many/vm40: off, its deployment is not [machine-off]
          It was stopped, powered off by itself, or was killed: the end of its console log tells.
          \`vhostkit start many\` starts those that are off.
note      machine many/vm9: io-error [machine-halted]
          Its vCPUs stand still.
          See its console log and the log of QEMU.
PROBLEM   machine many/vm17: its monitor does not answer [machine-silent]
          QEMU hangs or is stopped, or its libvirt is away.
          \`vhostkit stop many vm17 --grace 0\` ends it, \`vhostkit start many vm17\` starts it anew.`,
    )
  })

  it('counts what is well, and leaves nothing of what is not', () => {
    const broken = problem(
      'queue-broken',
      'port many.vm7.net0',
      'queue 1 was stopped',
      'It broke a rule.',
      'Restart it.',
    )
    const text = show(
      [broken, ...names.filter((_, index) => index !== 6).map((name) => fine(`port ${name}`, 'up'))],
      80,
    )
    assert.equal(
      text,
      `ok        39 ports: up
PROBLEM   port many.vm7.net0: queue 1 was stopped [queue-broken]
          It broke a rule.
          Restart it.`,
    )
  })
})
