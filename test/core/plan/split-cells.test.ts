import assert from 'node:assert/strict'
import fc from 'fast-check'
import { splitCells } from '../../../src/core/plan/split-cells.js'
import { mib } from '../../../src/core/spec/size.js'
import type { MachineSpec } from '../../../src/core/spec/spec.js'

const machine: MachineSpec = {
  name: 'vm',
  cpus: 1,
  memoryBytes: 0,
  hugepages: 'off',
  hugepageBytes: null,
  nodes: 'auto',
  boot: null,
  firmware: 'bios',
  disks: [],
  cloudInit: null,
  interfaces: [],
}

describe('split into cells', () => {
  it('loses no vCPU and no page, and is even', () => {
    const cells = fc.integer({ min: 1, max: 16 })
    fc.assert(
      fc.property(cells, fc.nat(200), fc.nat(5000), (count, moreCpus, morePages) => {
        const cpus = count + moreCpus
        const memoryBytes = (count + morePages) * 2 * mib
        const nodes = Array.from({ length: count }, (_, index) => index)
        const split = splitCells({ ...machine, cpus, memoryBytes }, nodes, 2 * mib)
        assert.deepEqual(
          split.flatMap((cell) => cell.cpus),
          Array.from({ length: cpus }, (_, index) => index),
        )
        assert.equal(
          split.reduce((sum, { bytes }) => sum + bytes, 0),
          memoryBytes,
        )
        const sizes = split.map(({ bytes }) => bytes)
        assert.ok(Math.max(...sizes) - Math.min(...sizes) <= 2 * mib && Math.min(...sizes) > 0)
      }),
    )
  })
})
