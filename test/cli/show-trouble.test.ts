import assert from 'node:assert/strict'
import type { InterfaceStatus } from '../../src/apply/interface-status.js'
import type { DeploymentStatus, MachineStatus } from '../../src/apply/status.js'
import { showInterfaces } from '../../src/cli/show-interfaces.js'
import { showTrouble } from '../../src/cli/show-trouble.js'

const machine = (name: string, change: Partial<MachineStatus> = {}): MachineStatus => ({
  name,
  running: true,
  pid: 1,
  state: 'running',
  console: '/c',
  ...change,
})
const card = (name: string, change: Partial<InterfaceStatus> = {}): InterfaceStatus => ({
  machine: name,
  index: 0,
  network: 'lan',
  mac: '52:54:00:00:00:01',
  port: `many.${name}.net0`,
  state: 'up',
  connects: 1,
  queues: { offered: 1, started: 1 },
  features: ['VERSION_1', 'MRG_RXBUF'],
  memory_node: 0,
  worker_nodes: [0],
  far: false,
  far_uplink: null,
  drops: {},
  last_error: null,
  ...change,
})
const names = Array.from({ length: 40 }, (_, index) => `vm${index + 1}`)
const deployment = (change: Partial<DeploymentStatus> = {}): DeploymentStatus => ({
  deployment: 'many',
  status: 'applied',
  operation: '',
  time: '',
  spec: 'many.yaml',
  machines: names.map((name) => machine(name)),
  interfaces: names.map((name) => card(name)),
  networks: [],
  reserved: [],
  ...change,
})

describe('status of forty machines', () => {
  it('has nothing to say when all is well, or was stopped', () => {
    const off = names.map((name) => machine(name, { running: false, state: 'off' }))
    assert.deepEqual(showTrouble([deployment(), deployment({ status: 'stopped', machines: off })], true), [])
  })

  it('names the one that is off, the one that is paused and the card that is broken', () => {
    const machines = names.map((name) => {
      if (name === 'vm7') return machine(name, { running: false, state: 'off' })
      return machine(name, name === 'vm9' ? { state: 'paused' } : {})
    })
    const interfaces = names.map((name) =>
      card(name, name === 'vm31' ? { state: 'broken', last_error: 'EPROTO' } : {}),
    )
    assert.deepEqual(
      showTrouble([deployment({ machines, interfaces })], true)
        .join('')
        .split('\n'),
      [
        'Not as applied:',
        '  vm7: off; `vhostkit start many vm7`',
        '  vm9: paused; `vhostkit console vm9` shows what it says',
        '  vm31 net0: broken (EPROTO); `vhostkit doctor` says why',
      ],
    )
  })

  it('says that the switch runs otherwise than applied, and what makes it so', () => {
    const differs = { expected: '--user nets', found: 'no --user' }
    assert.deepEqual(showTrouble([deployment()], true, differs), [
      'Not as applied:\n  the switch: runs with no --user, applied was --user nets; `vhostkit switch restart`, which machines outlast',
    ])
  })

  it('stays short when all are in trouble', () => {
    const machines = names.map((name) => machine(name, { running: false, state: 'off' }))
    const lines = showTrouble([deployment({ machines })], true)
      .join('')
      .split('\n')
    assert.deepEqual(lines, ['Not as applied:', '  vm1, vm2, vm3 and 37 more: off; `vhostkit start many`'])
  })

  it('tells of a switch that is away once, and of the machines that are off besides', () => {
    const machines = names.map((name) => {
      return machine(name, name === 'vm17' ? { running: false, state: 'off' } : {})
    })
    const interfaces = names.map((name) => card(name, { state: 'missing' }))
    assert.deepEqual(
      showTrouble([deployment({ machines, interfaces })], false)
        .join('')
        .split('\n'),
      [
        'Not as applied:',
        '  the switch: does not answer; `vhostkit switch restart`',
        '  vm17: off; `vhostkit start many vm17`',
      ],
    )
    assert.deepEqual(showTrouble([deployment({ status: 'stopped' })], false), [])
  })

  it('says the worst first, however many others wait for their guests', () => {
    const machines = names.map((name) => {
      return machine(name, name === 'vm40' || name === 'vm17' ? { running: false, state: 'off' } : {})
    })
    const interfaces = names.map((name) =>
      card(name, name === 'vm39' ? { state: 'broken' } : { state: 'connected' }),
    )
    const lines = showTrouble([deployment({ machines, interfaces })], true)
      .join('')
      .split('\n')
    assert.deepEqual(lines, [
      'Not as applied:',
      '  vm17, vm40: off; `vhostkit start many`',
      '  vm39 net0: broken; `vhostkit doctor` says why',
      '  vm1 net0, vm2 net0, vm3 net0 and 34 more: connected; its guest has not set the card up yet',
    ])
  })

  it('stays short when each is in a trouble of its own', () => {
    const interfaces = names.map((name) => card(name, { state: 'waiting', last_error: `of ${name}` }))
    const lines = showTrouble([deployment({ interfaces })], true)
      .join('')
      .split('\n')
    assert.deepEqual([lines.length, lines.at(-1)], [12, '  … and 30 more'])
  })

  it('says once what all guests agreed on', () => {
    const lines = showInterfaces(deployment().interfaces).join('\n').split('\n')
    assert.equal(lines.length, 42)
    assert.equal(lines.at(-1), 'features of 40 interfaces (vm1 net0, vm2 net0, …): VERSION_1 MRG_RXBUF')
  })
})
