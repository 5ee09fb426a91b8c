import assert from 'node:assert/strict'
import { join } from 'node:path'
import { type LabState, type LabStep, runNumaLab } from './numa-lab.js'

/** Of each part, the pages on a node; every part must have some, or nothing was looked at. */
function assertAllOn(state: LabState, node: 0 | 1, step: string): void {
  const other = node === 0 ? 1 : 0
  assert.deepEqual(Object.keys(state.parts).sort(), ['counters', 'map', 'rings'], step)
  for (const [part, { on }] of Object.entries(state.parts)) {
    assert.equal(on[other], 0, `${step}: ${on[other]} pages of ${part} on node ${other}`)
    assert.ok(on[node] > 0, `${step}: no page of ${part} on node ${node}`)
  }
  assert.equal(
    state.maps.on[other],
    0,
    `${step}: numa_maps has ${state.maps.on[other]} pages on node ${other}`,
  )
  assert.ok(state.maps.on[node] > 0, step)
}

/** The CPUs that the worker of the guest's transmit ring may use, as the kernel has them, and the node the switch names. */
function serving({ rings, workers, threads }: LabStep): { cpus: string; node: number } {
  const id = rings.find(({ index }) => index === 1)?.worker
  const thread = threads.find(({ name }) => name === `worker-${id}`)
  return { cpus: thread?.cpus ?? 'no such thread', node: workers.find((one) => one.id === id)?.node ?? -1 }
}

const framesBothWays = 80

describe('the NUMA lab: a host of two nodes', function () {
  this.timeout(240_000)
  let steps: LabStep[] = []
  before(async () => {
    steps = await runNumaLab(join(process.cwd(), 'native/build'))
  })

  const stepOf = (name: string): LabStep => {
    const step = steps.find((one) => one.step === name)
    assert.ok(step !== undefined, `the lab has no step "${name}"`)
    return step
  }

  /** The guest's memory is where the lab put it, frames pass, and all of the port's state is with it. */
  const assertFollowed = (step: LabStep, node: 0 | 1): void => {
    assert.equal(step.guest.on[node === 0 ? 1 : 0], 0, 'the lab itself put memory on the wrong node')
    assert.ok(step.guest.on[node] > 0)
    assert.equal(step.memory.node, node)
    assertAllOn(step.state, node, step.step)
    assertAllOn(step.neighbour, 0, `${step.step}, the neighbour`)
    assert.equal(step.memory.strays, 0)
    assert.equal(step.passed, framesBothWays)
  }
  const told = (step: LabStep, type: string) => step.events.filter((event) => event.type === type)

  after(() => {
    for (const { step, state, threads, memory } of steps) {
      const pages = Object.entries(state.parts).map(([part, { on }]) => `${part} ${on.join('/')}`)
      const cores = threads.map(({ name, cpus }) => `${name} on ${cpus}`)
      console.log(
        `      ${step}: pages on node 0/1: ${pages.join(', ')}, mappings ${state.maps.on.join('/')}; ${cores.join(', ')}; remote ${memory.remote}`,
      )
    }
  })

  it('a guest on node 1 gets its ring state and a worker there', () => {
    const step = stepOf('spare: memory on node 1')
    assertFollowed(step, 1)
    assert.deepEqual(serving(step), { cpus: '2', node: 1 })
    assert.equal(step.memory.remote, 0)
    assert.deepEqual(
      told(step, 'worker.started').map(({ worker_node }) => worker_node),
      [1],
    )
    assert.deepEqual(
      told(step, 'port.node').map(({ port, node, worker_node }) => [port, node, worker_node]),
      [['vm1', 1, 1]],
    )
    assert.deepEqual(told(step, 'memory.node'), [])
  })

  it('one that comes back with memory on node 0 is followed, and the worker it left is stopped', () => {
    const step = stepOf('spare: back with memory on node 0')
    assertFollowed(step, 0)
    assert.deepEqual(serving(step), { cpus: '0', node: 0 })
    assert.deepEqual(
      step.threads.map(({ cpus }) => cpus),
      ['0'],
    )
    assert.deepEqual(
      told(step, 'port.node').map(({ node, worker_node }) => [node, worker_node]),
      [[0, 0]],
    )
    assert.equal(told(step, 'worker.stopped').length, 1)
  })

  it('so is one on small pages, also after a crash of the switch', () => {
    for (const name of ['spare: once more on node 1, small pages', 'spare: after a crash']) {
      const step = stepOf(name)
      assertFollowed(step, 1)
      assert.deepEqual(serving(step), { cpus: '2', node: 1 })
      assert.equal(step.memory.remote, 0)
    }
  })

  it('without an allowed core on its node the mismatch is loud, in port.list and in an event', () => {
    for (const name of ['no core: memory on node 1', 'confined to node 0: memory on node 1']) {
      const step = stepOf(name)
      assertFollowed(step, 1)
      assert.equal(serving(step).node, 0)
      assert.equal(step.memory.remote, 1)
      assert.deepEqual(
        told(step, 'memory.node').map(({ port, node, worker_node }) => [port, node, worker_node]),
        [['vm1', 1, 0]],
      )
      assert.deepEqual(told(step, 'port.node'), [])
    }
    const crashed = stepOf('no core: after a crash')
    assertFollowed(crashed, 1)
    assert.equal(crashed.memory.remote, 1)
    const back = stepOf('no core: back with memory on node 0')
    assertFollowed(back, 0)
    assert.equal(back.memory.remote, 0)
  })

  it('without named cores a worker is started on any CPU of the node', () => {
    const step = stepOf('unnamed: memory on node 1')
    assertFollowed(step, 1)
    assert.deepEqual(serving(step), { cpus: '2-3', node: 1 })
    assert.equal(step.memory.remote, 0)
  })
})
