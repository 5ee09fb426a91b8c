import assert from 'node:assert/strict'
import {
  examineMtus,
  examinePort,
  examineStart,
  examineSwitch,
} from '../../src/drivers/switch/examine-ports.js'
import type { PortInfo, SwitchInfo, WorkerInfo } from '../../src/drivers/switch/protocol.js'

const ring = { index: 0, size: 256, started: true, enabled: true, broken: null, worker: 0 }

function port(more: Partial<PortInfo> = {}): PortInfo {
  const place = { network: 'lan', socket: '/run/a/net0.sock', role: 'client', ifname: null } as const
  const limits = { mtu: 1500, mac_limit: 1024, queues: 1, features: null }
  const state = { state: 'up', connects: 1, last_error: null, memory: null, rings: [ring] } as const
  return { name: 'a.vm1.net0', kind: 'vhost-user', ...place, ...limits, ...state, rings: [ring], ...more }
}

const codeOf = (more: Partial<PortInfo>, workers: WorkerInfo[] = []) => examinePort(port(more), workers).code

describe('what doctor says of a port', () => {
  it('is nothing when it is up, also after an error that is over', () => {
    assert.equal(codeOf({}), null)
    assert.equal(codeOf({ last_error: 'connect: Permission denied' }), null)
    assert.equal(codeOf({ kind: 'tap', connects: 0 }), null)
  })

  it('is each of its faults', () => {
    const waiting = { state: 'waiting', connects: 0 } as const
    const memory = { regions: 1, bytes: 1, node: 1, remote: 1, strays: 0 }
    const faults: [string, Partial<PortInfo>][] = [
      ['socket-refused', { ...waiting, last_error: 'connect: Permission denied' }],
      ['features-refused', { ...waiting, last_error: 'the machine asks for features that are not offered' }],
      ['port-failed', { ...waiting, last_error: 'a message was too long' }],
      ['never-connected', waiting],
      ['guest-not-ready', { state: 'connected' }],
      ['queue-broken', { rings: [{ ...ring, broken: 'index jump' }] }],
      ['node-mismatch', { memory }],
      ['ring-state-far', { memory: { ...memory, remote: 0, strays: 3 } }],
      ['mirror-full', { mirror: { state: 'full' } }],
      ['mirror-ended', { mirror: { state: 'failed' } }],
    ]
    for (const [code, more] of faults) assert.equal(codeOf(more), code)
  })

  it('names the node of the worker that is far', () => {
    const memory = { regions: 1, bytes: 1, node: 1, remote: 1, strays: 0 }
    const worker = { id: 0, node: 0 } as WorkerInfo
    const { what, level } = examinePort(port({ memory }), [worker])
    assert.deepEqual([what, level], ['memory on node 1, 1 of 1 queues served from node 0', 'problem'])
  })
})

describe('MTUs of a network', () => {
  it('are a problem when they differ, and only within one network', () => {
    const others = [port({ name: 'b' }), port({ name: 'c', network: 'other', mtu: 9000 })]
    assert.deepEqual(examineMtus([port(), ...others]), [])
    const [found, ...more] = examineMtus([port({ mtu: 9000 }), ...others])
    assert.deepEqual([found?.code, found?.subject, more], ['mtu-mixed', 'network lan', []])
  })
})

describe('what doctor says of the switch', () => {
  it('is whether it answers, is looked after, and has crashed', () => {
    const info = (starts: number, supervisor_pid: number) =>
      ({ pid: 2, starts, supervisor_pid }) as SwitchInfo
    const codes = [info(1, 1), info(2, 1), info(1, 0), null].map((one) => examineSwitch(one, '/s').code)
    assert.deepEqual(codes, [null, 'switch-restarted', 'switch-unsupervised', 'switch-silent'])
    // Without it machines that were applied have no network.
    const levels = [false, true].map((wanted) => examineSwitch(null, '/s', wanted).level)
    assert.deepEqual(levels, ['note', 'problem'])
  })

  it('is that it runs otherwise than it was applied last', () => {
    assert.deepEqual(examineStart(null), [])
    const [found] = examineStart({ expected: '--user nets', found: 'no --user' })
    assert.deepEqual(
      [found?.code, found?.level, found?.what],
      ['switch-otherwise', 'note', 'runs with no --user, applied was --user nets'],
    )
  })
})
