import assert from 'node:assert/strict'
import { interfacesOf, type SwitchView } from '../../src/apply/interface-status.js'
import { showInterfaces } from '../../src/cli/show-interfaces.js'
import type { PortInfo, PortStats, WorkerInfo } from '../../src/drivers/switch/protocol.js'
import { readHost } from '../golden/read-cases.js'
import { planOf } from '../plan-of.js'

const spec =
  '{ version: 1, name: d, networks: [{ name: lan }], machines: [{ name: one, memory: 64M, interfaces: [lan] }] }'
const plan = planOf(spec, readHost('one-node'))

function view(workerNode: number): SwitchView {
  const ring = (index: number) => ({
    index,
    size: 1024,
    started: true,
    enabled: true,
    broken: null,
    worker: 3,
  })
  const port = {
    name: 'd.one.net0',
    state: 'up',
    connects: 2,
    queues: 2,
    features: { offered: '', negotiated: '', names: ['VERSION_1', 'CSUM'] },
    memory: { regions: 1, bytes: 64, node: 0 },
    last_error: null,
    rings: [ring(0), ring(1), { ...ring(2), enabled: false }, ring(3)],
  }
  return {
    ports: [port as unknown as PortInfo],
    stats: [{ name: 'd.one.net0', drops: { spoof: 0, storm: 7 } } as unknown as PortStats],
    workers: [{ id: 3, node: workerNode } as WorkerInfo, { id: 4, node: 5 } as WorkerInfo],
  }
}

describe('the status of an interface', () => {
  it('has queues, features, nodes and drops from the switch', () => {
    const [one] = interfacesOf({ plan }, view(0))
    assert.deepEqual(one && { ...one, mac: '' }, {
      machine: 'one',
      index: 0,
      network: 'lan',
      mac: '',
      port: 'd.one.net0',
      state: 'up',
      connects: 2,
      queues: { offered: 2, started: 1 },
      features: ['VERSION_1', 'CSUM'],
      memory_node: 0,
      worker_nodes: [0],
      far: false,
      far_uplink: null,
      drops: { storm: 7 },
      last_error: null,
    })
  })

  it('says loudly when the worker is on another node', () => {
    const far = showInterfaces(interfacesOf({ plan }, view(1)))
    assert.match(far.join('\n'), /WRONG NODE: the memory of one net0 is on node 0, its worker on node 1/)
    assert.doesNotMatch(showInterfaces(interfacesOf({ plan }, view(0))).join('\n'), /WRONG NODE/)
  })

  it('says loudly when frames leave the host by a card of another node', () => {
    const routed = planOf(
      spec.replace('name: lan }', 'name: lan, host: 192.168.77.1/24 }'),
      readHost('one-node'),
    )
    const shown = (plans: typeof plan, node: number) =>
      showInterfaces(interfacesOf({ plan: plans }, view(0), { name: 'eth1', node })).join('\n')
    assert.match(shown(routed, 1), /WRONG NODE: .* one net0 is on node 0, eth1, .* leave the host, on node 1/)
    assert.doesNotMatch(shown(routed, 0), /WRONG NODE/)
    assert.doesNotMatch(shown(plan, 1), /WRONG NODE/, 'no frame of this network leaves')
  })

  it('is "missing" without a port or a switch', () => {
    const none = { ports: [], stats: [], workers: [] }
    for (const seen of [null, none]) {
      const [one] = interfacesOf({ plan }, seen)
      assert.deepEqual(
        [one?.state, one?.queues, one?.memory_node],
        ['missing', { offered: 1, started: 0 }, null],
      )
    }
  })
})
