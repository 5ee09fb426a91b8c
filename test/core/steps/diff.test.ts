import assert from 'node:assert/strict'
import {
  type Artifacts,
  diff,
  type Live,
  notices,
  renderAll,
  stepsToDestroy,
  stepsToStart,
  VhostkitError,
} from '../../../src/index.js'
import { readHost } from '../../golden/read-cases.js'
import { emptyLive } from '../../live.js'
import { planOf } from '../../plan-of.js'
import { SimulatedHost } from '../../simulate.js'

const host = readHost('one-node')

function pair(more = '', lan = 'host: [192.168.77.1/24]'.replace(/[[\]]/g, '')): Artifacts {
  const machines = ['vm1', 'vm2']
    .map((name) => `  - { name: ${name}, memory: 64M, ${more} interfaces: [lan] }\n`)
    .join('')
  return renderAll(
    planOf(`version: 1\nname: pair\nnetworks: [{ name: lan, ${lan} }]\nmachines:\n${machines}`, host),
  )
}

function running(wanted: Artifacts): Live {
  const there = new SimulatedHost(emptyLive(host))
  there.run(diff(wanted, there.live))
  return there.live
}

function verbs(steps: { id: string }[]): string[] {
  return steps.map(({ id }) => id.replace(/ \/.*\//, ' '))
}

function withPolicy(artifacts: Artifacts, policy: { isolated?: true; link?: true }): Artifacts {
  const ports = artifacts.ports.map((port) => (port.kind === 'tap' ? port : { ...port, policy }))
  return { ...artifacts, ports }
}

describe('diff', () => {
  it('begins with folders and ends with machines', () => {
    assert.deepEqual(verbs(diff(pair(), emptyLive(host))), [
      'make-folder pair.vm1',
      'make-folder pair.vm2',
      'start-switch',
      'create-tap vkbfada5-lan',
      'add-port pair.lan.host',
      'add-port pair.vm1.net0',
      'add-port pair.vm2.net0',
      'start-machine vm1',
      'start-machine vm2',
    ])
  })

  it('holds back the ports of a machine that would have to restart', () => {
    const live = running(pair())
    const wanted = pair('cpus: 2,', 'mtu: 9000, host: 192.168.77.1/24')
    assert.deepEqual(verbs(diff(wanted, live)), [
      'delete-port pair.lan.host',
      'delete-tap vkbfada5-lan',
      'create-tap vkbfada5-lan',
      'add-port pair.lan.host',
    ])
    const [first] = notices(wanted, live)
    assert.equal(first?.code, 'machine-changed')
    assert.equal(first.path, 'machine vm1')
    assert.match(first.expected, /cpus=2/)
    assert.match(first.found, /cpus=1/)
    const restarting = verbs(diff(wanted, live, { restart: true }))
    assert.deepEqual(restarting.slice(0, 2), ['stop-machine vm1', 'stop-machine vm2'])
    assert.deepEqual(restarting.slice(-2), ['start-machine vm1', 'start-machine vm2'])
  })

  it('changes the policy of a port under its running guest, and takes it back', () => {
    const live = running(pair('', 'mtu: 1500'))
    const wanted = withPolicy(pair('', 'mtu: 1500'), { isolated: true })
    const steps = diff(wanted, live)
    assert.deepEqual(verbs(steps), ['set-policy pair.vm1.net0', 'set-policy pair.vm2.net0'])
    const host = new SimulatedHost(live)
    host.run(steps)
    assert.deepEqual(diff(wanted, host.live), [])
    assert.deepEqual(verbs(diff(pair('', 'mtu: 1500'), host.live)), verbs(steps))
    host.undo(steps)
    assert.deepEqual(host.live.ports, live.ports)
    // A wire is another kind of network; and without a switch there is no port that could stay.
    assert.deepEqual(verbs(diff(withPolicy(wanted, { link: true }), live)).slice(0, 2), [
      'delete-port pair.vm1.net0',
      'delete-port pair.vm2.net0',
    ])
    assert.ok(verbs(diff(wanted, { ...live, switch: null, ports: [] })).includes('add-port pair.vm1.net0'))
  })

  it('takes a command line that cannot be read for the wanted one', () => {
    const live = running(pair())
    const blind = {
      ...live,
      switch: { pid: 2, supervisorPid: 1, service: false, argv: null },
      machines: live.machines.map((machine) => ({ ...machine, argv: null })),
    }
    assert.deepEqual(diff(pair('cpus: 2,'), blind), [])
    assert.deepEqual(notices(pair('cpus: 2,'), blind), [])
  })

  it('leaves what belongs to others', () => {
    const live = running(pair())
    const other = {
      ...(live.ports.find(({ kind }) => kind === 'vhost-user') as Live['ports'][number]),
      name: 'pair2.vm1.net0',
    }
    const tap = { ifname: 'tap0', mtu: 1500, addresses: [] }
    const shared = { ...live, ports: [...live.ports, other], taps: [...live.taps, tap] }
    assert.deepEqual(diff(pair(), shared), [])
    const ids = verbs(stepsToDestroy(pair(), shared))
    assert.ok(
      !ids.includes('stop-switch') &&
        !ids.includes('delete-port pair2.vm1.net0') &&
        !ids.includes('delete-tap tap0'),
    )
    assert.ok(!verbs(stepsToDestroy(pair(), live, { keepSwitch: true })).includes('stop-switch'))
    assert.ok(verbs(stepsToDestroy(pair(), live)).includes('stop-switch'))
    const asService = { ...live, switch: live.switch && { ...live.switch, service: true } }
    assert.ok(!verbs(stepsToDestroy(pair(), asService)).includes('stop-switch'))
  })

  it('knows an IPv6 address in any spelling', () => {
    const wanted = pair('', 'host: "fd00:0::01/64"')
    const live = running(wanted)
    const taps = live.taps.map((tap) => ({ ...tap, addresses: ['fd00::1/64'] }))
    assert.deepEqual(diff(wanted, { ...live, taps }), [])
  })

  it('stops a machine that is no longer wanted, with or without a receipt', () => {
    const old = pair()
    const live = running(old)
    const wanted = { ...old, machines: old.machines.slice(0, 1), ports: old.ports.slice(0, 2) }
    const ids = ['stop-machine vm2', 'remove-folder pair.vm2', 'delete-port pair.vm2.net0']
    assert.deepEqual(verbs(diff(wanted, live, { applied: old })), ids)
    assert.deepEqual(verbs(diff(wanted, live)), ids)
    const [stop] = diff(wanted, live)
    assert.ok(stop?.action.do === 'stop-machine')
    assert.equal(stop.action.machine.qmpSocket, old.machines[1]?.qmpSocket)
  })

  it('brings the switch and its ports back while machines run on', () => {
    const live = { ...running(pair()), switch: null, ports: [] }
    const ids = verbs(diff(pair(), live))
    assert.deepEqual(ids, [
      'start-switch',
      'add-port pair.lan.host',
      'add-port pair.vm1.net0',
      'add-port pair.vm2.net0',
    ])
  })

  it('starts one machine with only what it needs', () => {
    const ids = verbs(stepsToStart(pair(), emptyLive(host), ['vm2']))
    assert.ok(ids.includes('add-port pair.vm2.net0') && ids.includes('create-tap vkbfada5-lan'))
    assert.ok(!ids.some((id) => id.includes('vm1')))
    const unknown = () => stepsToStart(pair(), emptyLive(host), ['vm9'])
    assert.throws(unknown, (error) => error instanceof VhostkitError && error.code === 'not-found')
  })
})
