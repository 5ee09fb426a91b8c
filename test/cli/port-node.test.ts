import assert from 'node:assert/strict'
import { showPorts } from '../../src/cli/commands/switch-ports.js'
import { examinePort } from '../../src/drivers/switch/examine-ports.js'
import type { PortInfo, WorkerInfo } from '../../src/drivers/switch/protocol.js'

describe('a port and the node of its memory', () => {
  const at = (memory: { node: number; remote: number; strays: number }, worker: number): PortInfo => ({
    kind: 'vhost-user',
    name: 'pair.vm1.net0',
    network: 'lan',
    socket: '/run/a/net0.sock',
    queues: 1,
    mtu: 1500,
    mac_limit: 1024,
    role: 'client',
    ifname: null,
    state: 'up',
    connects: 1,
    last_error: null,
    features: null,
    memory: { regions: 1, bytes: 1, ...memory },
    rings: [
      { index: 0, size: 256, started: true, enabled: true, broken: null, worker: -1 },
      { index: 1, size: 256, started: true, enabled: true, broken: null, worker },
    ],
  })
  const workers = [0, 1].map((node): WorkerInfo => {
    return {
      id: node,
      core: node,
      node,
      sources: 1,
      rounds: 0,
      busy_ms: 0,
      load: 0,
      sleeps: 0,
      state: 'sleeping',
      queues: [],
    }
  })

  it('are fine together', () => {
    const near = at({ node: 1, remote: 0, strays: 0 }, 1)
    assert.equal(examinePort(near, workers).level, 'ok')
    assert.doesNotMatch(showPorts([near]), /WRONG NODE/)
    assert.equal(examinePort(at({ node: -1, remote: 0, strays: 0 }, 1), workers).level, 'ok')
  })

  it('are a problem when the worker is on another', () => {
    const far = at({ node: 1, remote: 1, strays: 0 }, 0)
    const { level, what, fix } = examinePort(far, workers)
    assert.equal(level, 'problem')
    assert.equal(what, 'memory on node 1, 1 of 1 queues served from node 0')
    assert.match(fix, /a core of node 1: .*spare-cores/)
    assert.match(
      showPorts([far]),
      /^WRONG NODE: port pair\.vm1\.net0 has its memory on node 1, but 1 of 1 queues are served/m,
    )
  })

  it('are a problem when its state could not follow', () => {
    const stray = at({ node: 1, remote: 0, strays: 3 }, 1)
    assert.equal(examinePort(stray, workers).level, 'problem')
    assert.match(showPorts([stray]), /^WRONG NODE: .*3 pages of its ring state lie on another node/m)
  })
})
