import assert from 'node:assert/strict'
import fc from 'fast-check'
import {
  interfaceMac,
  machineOwner,
  machinePort,
  machineUuid,
  namePattern,
  portPrefix,
  tapName,
  tapPort,
  tapPrefix,
} from '../../../src/core/spec/names.js'

const first = 'abcXYZ019'
const name = fc
  .tuple(fc.constantFrom(...first), fc.string({ unit: fc.constantFrom(...`${first}_.-`), maxLength: 62 }))
  .map(([head, tail]) => head + tail)

describe('names', () => {
  it('keeps short names readable', () => {
    assert.equal(machinePort('pair', 'vm1', 0), 'pair.vm1.net0')
    assert.equal(tapPort('pair', 'lan'), 'pair.lan.host')
    assert.match(tapName('pair', 'lan'), /^vk[0-9a-f]{6}-lan$/)
  })

  it('fits the limits of switch and kernel', () => {
    fc.assert(
      fc.property(name, name, fc.integer({ min: 0, max: 15 }), (deployment, other, index) => {
        for (const port of [machinePort(deployment, other, index), tapPort(deployment, other)]) {
          assert.match(port, namePattern)
          assert.ok(port.startsWith(portPrefix(deployment)))
        }
        assert.ok(tapName(deployment, other).length <= 15)
        assert.ok(tapName(deployment, other).startsWith(tapPrefix(deployment)))
      }),
    )
  })

  it('gives different things different names', () => {
    fc.assert(
      fc.property(name, name, name, name, (a, b, c, d) => {
        fc.pre(a !== c || b !== d)
        assert.notEqual(machineOwner(a, b), machineOwner(c, d))
        assert.notEqual(tapName(a, b), tapName(c, d))
        assert.notEqual(machineUuid(a, b), machineUuid(c, d))
        if (a !== c) assert.ok(!machinePort(c, d, 0).startsWith(portPrefix(a)))
      }),
    )
  })

  it('does not take a dot for a border', () => {
    assert.notEqual(machinePort('a', 'b.c', 0), machinePort('a.b', 'c', 0))
    assert.ok(!machinePort('a.b', 'c', 0).startsWith(portPrefix('a')))
    assert.notEqual(machinePort('a.b', 'c', 0), machinePort('a-b', 'c', 0))
  })

  it('makes unicast MACs that nobody has', () => {
    const taken = new Set<string>()
    for (let index = 0; index < 3000; index++) {
      const mac = interfaceMac('pair', 'vm', index, taken)
      assert.match(mac, /^52:54:00(:[0-9a-f]{2}){3}$/)
      assert.ok(!taken.has(mac))
      taken.add(mac)
    }
    const usual = interfaceMac('pair', 'vm', 0, new Set())
    assert.notEqual(interfaceMac('pair', 'vm', 0, new Set([usual])), usual)
  })

  it('makes version 5 UUIDs, the same every day', () => {
    assert.match(
      machineUuid('pair', 'vm1'),
      /^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
    )
    assert.equal(machineUuid('pair', 'vm1'), '29f44a64-2877-5324-896a-169d63ba358e')
  })
})
