import assert from 'node:assert/strict'
import fc from 'fast-check'
import { diff, notices, renderAll, stepsToDestroy, stepsToStart, stepsToStop } from '../../../src/index.js'
import { readHost } from '../../golden/read-cases.js'
import { emptyLive } from '../../live.js'
import { planOf } from '../../plan-of.js'
import { SimulatedHost, settled } from '../../simulate.js'

/** Small specs of one deployment that differ in every way a diff must notice. */
const networkText = fc.record({
  mtu: fc.constantFrom(1500, 9000),
  host: fc.constantFrom(null, '10.NET.0.1/24', 'fd00:NET::1/64'),
})
const machineText = fc.record({
  cpus: fc.integer({ min: 1, max: 3 }),
  memory: fc.constantFrom('64M', '256M'),
  hugepages: fc.constantFrom('preferred', 'off'),
  interfaces: fc.subarray(['a', 'b']),
})
const specText = fc.record({
  a: networkText,
  b: networkText,
  machines: fc.dictionary(fc.constantFrom('vm1', 'vm2', 'vm3'), machineText, { minKeys: 1 }),
})
const host = fc.constantFrom('one-node', 'one-node-reservable', 'one-node-hugepages', 'two-node')

function render(spec: typeof specText extends fc.Arbitrary<infer T> ? T : never, hostName: string) {
  const network = (name: 'a' | 'b') => ({
    name,
    mtu: spec[name].mtu,
    ...(spec[name].host === null ? {} : { host: spec[name].host.replace('NET', name === 'a' ? '1' : '2') }),
  })
  const machines = Object.entries(spec.machines).map(([name, machine]) => ({ name, ...machine }))
  const value = { version: 1, name: 'any', networks: [network('a'), network('b')], machines }
  return renderAll(planOf(JSON.stringify(value), readHost(hostName)))
}

describe('diff, for any spec', () => {
  it('leads to what is wanted, and then to nothing', () => {
    fc.assert(
      fc.property(specText, host, (spec, hostName) => {
        const wanted = render(spec, hostName)
        const there = new SimulatedHost(emptyLive(readHost(hostName)))
        there.run(diff(wanted, there.live))
        assert.deepEqual(diff(wanted, there.live), [])
        assert.deepEqual(notices(wanted, there.live), [])
      }),
    )
  })

  it('leads from any spec to any other', () => {
    fc.assert(
      fc.property(specText, specText, host, (before, after, hostName) => {
        const [old, wanted] = [render(before, hostName), render(after, hostName)]
        const there = new SimulatedHost(emptyLive(readHost(hostName)))
        there.run(diff(old, there.live))
        there.run(diff(wanted, there.live, { applied: old, restart: true }))
        assert.deepEqual(
          diff(wanted, { ...there.live, machines: there.live.machines.filter(({ running }) => running) }),
          [],
        )
        assert.deepEqual(notices(wanted, there.live), [])
      }),
    )
  })

  it('stops nothing that is still wanted, unless restarts are allowed', () => {
    fc.assert(
      fc.property(specText, specText, host, (before, after, hostName) => {
        const [old, wanted] = [render(before, hostName), render(after, hostName)]
        const there = new SimulatedHost(emptyLive(readHost(hostName)))
        there.run(diff(old, there.live))
        const steps = diff(wanted, there.live, { applied: old })
        const stopped = steps.flatMap(({ action }) =>
          action.do === 'stop-machine' ? action.machine.name : [],
        )
        assert.ok(stopped.every((name) => !wanted.machines.some((machine) => machine.name === name)))
        assert.ok(!steps.some(({ action }) => action.do === 'stop-switch'))
        there.run(steps)
        const changed = new Set(notices(wanted, there.live).map(({ path }) => path))
        for (const { name } of there.live.machines.filter(({ running }) => running)) {
          const same = old.machines.find((machine) => machine.name === name)
          const now = wanted.machines.find((machine) => machine.name === name)
          if (same !== undefined)
            assert.equal(
              changed.has(`machine ${name}`),
              JSON.stringify(same.argv) !== JSON.stringify(now?.argv),
            )
        }
      }),
    )
  })

  it('can be undone', () => {
    fc.assert(
      fc.property(specText, specText, host, (before, after, hostName) => {
        const [old, wanted] = [render(before, hostName), render(after, hostName)]
        const there = new SimulatedHost(emptyLive(readHost(hostName)))
        there.run(diff(old, there.live))
        const start = settled(there.live)
        const steps = diff(wanted, there.live, { applied: old, restart: true })
        there.run(steps)
        there.undo(steps)
        assert.deepEqual(settled(there.live), start)
      }),
    )
  })

  it('stop and start come back to the same, and destroy leaves nothing', () => {
    fc.assert(
      fc.property(specText, host, (spec, hostName) => {
        const wanted = render(spec, hostName)
        const there = new SimulatedHost(emptyLive(readHost(hostName)))
        const empty = settled(there.live)
        there.run(diff(wanted, there.live))
        const up = settled(there.live)
        const names = wanted.machines.map(({ name }) => name)
        there.run(stepsToStop(wanted, there.live, names))
        assert.ok(there.live.machines.every(({ running }) => !running))
        assert.deepEqual(there.live.reserved, [])
        assert.deepEqual(stepsToStop(wanted, there.live, names), [])
        there.run(stepsToStart(wanted, there.live, names))
        assert.deepEqual(settled(there.live), up)
        assert.deepEqual(stepsToStart(wanted, there.live, names), [])
        there.run(stepsToDestroy(wanted, there.live))
        assert.deepEqual(settled(there.live), empty)
        assert.equal(there.folders.size, 0)
      }),
    )
  })
})
