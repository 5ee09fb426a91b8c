import assert from 'node:assert/strict'
import {
  type Artifacts,
  diff,
  type Live,
  notices,
  renderAll,
  stepsToDestroy,
  stepsToStart,
  stepsToStop,
} from '../../../src/index.js'
import { readHost } from '../../golden/read-cases.js'
import { emptyLive } from '../../live.js'
import { planOf } from '../../plan-of.js'
import { SimulatedHost } from '../../simulate.js'

const facts = readHost('one-node-libvirt')
const spec = (machines: string, driver = 'libvirt') =>
  `{ version: 1, name: d, driver: ${driver}, networks: [{ name: lan }], machines: [${machines}] }`
const pair = '{ name: one, memory: 64M, interfaces: [lan] }, { name: two, memory: 64M, interfaces: [lan] }'

describe('steps of domains', () => {
  const wanted = renderAll(planOf(spec(pair), facts))
  const running = (artifacts: Artifacts = wanted): Live => {
    const host = new SimulatedHost(emptyLive(facts))
    host.run(diff(artifacts, host.live))
    return host.live
  }
  const ids = (steps: { id: string }[]) => steps.map(({ id }) => id)

  it('define before they start, and do nothing the second time', () => {
    const steps = ids(diff(wanted, emptyLive(facts)))
    assert.ok(steps.indexOf('define-domain one') < steps.indexOf('start-machine one'))
    assert.ok(steps.indexOf('add-port d.two.net0') < steps.indexOf('define-domain one'))
    assert.deepEqual(diff(wanted, running()), [])
  })

  it('are undone to what was there before', () => {
    const host = new SimulatedHost(emptyLive(facts))
    const steps = diff(wanted, host.live)
    host.run(steps)
    host.undo(steps)
    assert.deepEqual(
      host.live.machines.map(({ running: runs, domain }) => [runs, domain?.xml]),
      [
        [false, null],
        [false, null],
      ],
    )
  })

  it('leave a machine that runs with another definition, and say so; with restart they define it anew', () => {
    const live = running()
    const one = live.machines.find(({ name }) => name === 'one')
    const xml = one?.domain?.xml ?? ''
    if (one !== undefined) one.domain = { xml: xml.replace(" memAccess='shared'", '') }
    assert.deepEqual(diff(wanted, live), [])
    const [notice] = notices(wanted, live)
    assert.deepEqual(
      [notice?.code, notice?.found],
      ['machine-changed', 'domain/cpu/numa/cell/@memAccess: shared is gone'],
    )
    const steps = ids(diff(wanted, live, { restart: true }))
    assert.deepEqual(steps, ['stop-machine one', 'define-domain one', 'start-machine one'])
  })

  it('undefine machines that are wanted no longer, or wanted without libvirt', () => {
    const onlyOne = renderAll(planOf(spec('{ name: one, memory: 64M, interfaces: [lan] }'), facts))
    const gone = ids(diff(onlyOne, running(), { applied: wanted }))
    assert.deepEqual(gone.slice(0, 2), ['stop-machine two', 'undefine-domain two'])
    const processes = renderAll(planOf(spec(pair, 'qemu'), facts))
    const steps = ids(diff(processes, running(), { applied: wanted, restart: true }))
    assert.deepEqual(steps.slice(0, 4), [
      'stop-machine one',
      'stop-machine two',
      'undefine-domain one',
      'undefine-domain two',
    ])
  })

  it('stop keeps the definition, start takes it, destroy leaves none', () => {
    const live = running()
    const host = new SimulatedHost(live)
    for (const { folder } of wanted.machines) host.folders.add(folder)
    host.run(stepsToStop(wanted, host.live, ['one']))
    assert.ok(host.live.machines.some(({ name, domain }) => name === 'one' && domain?.xml !== null))
    assert.deepEqual(ids(stepsToStart(wanted, host.live, ['one'])), [
      'make-folder /run/vhostkit/machines/d.one',
      'start-machine one',
    ])
    host.run(stepsToDestroy(wanted, host.live, { applied: wanted }))
    assert.ok(host.live.machines.every(({ running: runs, domain }) => !runs && domain?.xml === null))
  })
})
