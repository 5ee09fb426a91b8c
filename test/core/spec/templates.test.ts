import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { readHost } from '../../golden/read-cases.js'
import { planOf } from '../../plan-of.js'

describe('templates/specs', () => {
  for (const name of readdirSync('templates/specs')) {
    it(`${name} can be planned`, () => {
      const plan = planOf(readFileSync(`templates/specs/${name}`, 'utf8'), readHost('one-node'))
      assert.ok(plan.machines.length > 0)
    })
  }

  it('pair.yaml is the golden case pair', () => {
    const golden = readFileSync('test/golden/cases/pair/spec.yaml', 'utf8')
    assert.equal(readFileSync('templates/specs/pair.yaml', 'utf8'), golden)
  })
})
