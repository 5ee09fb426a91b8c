import assert from 'node:assert/strict'
import { Ledger } from '../../../src/core/plan/ledger.js'
import { gib, mib } from '../../../src/core/spec/size.js'
import { readHost } from '../../golden/read-cases.js'

const huge = 2 * mib

describe('ledger', () => {
  it('keeps a margin when it counts pages that can be reserved', () => {
    const ledger = Ledger.of(readHost('one-node-reservable'))
    // 2 GiB free, a tenth of 4 GiB stays: 1638.4 MiB in pages of 2 MiB.
    assert.deepEqual(ledger.pages(0, huge), { free: 64, reservable: 819 })
    assert.deepEqual(ledger.pages(0, gib), { free: 0, reservable: 0 })
  })

  it('reserves nothing where nobody may', () => {
    assert.deepEqual(Ledger.of(readHost('one-node')).pages(0, huge), { free: 0, reservable: 0 })
  })

  it('takes free pages first, then free memory', () => {
    const ledger = Ledger.of(readHost('one-node-reservable'))
    const before = ledger.freeBytes(0)
    ledger.takePages(0, huge, 60)
    assert.equal(ledger.freeBytes(0), before)
    ledger.takePages(0, huge, 10)
    assert.equal(ledger.freeBytes(0), before - 6 * huge)
    assert.equal(ledger.pages(0, huge).free, 0)
    ledger.returnPages(0, huge, 5)
    assert.equal(ledger.pages(0, huge).free, 5)
  })

  it('tries on a copy', () => {
    const ledger = Ledger.of(readHost('two-node'))
    const trial = ledger.clone()
    trial.takePages(1, huge, 512)
    trial.takeCpus(1, 8)
    assert.equal(ledger.pages(1, huge).free, 512)
    assert.equal(ledger.freeCpus(1), 8)
  })
})
