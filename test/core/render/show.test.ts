import assert from 'node:assert/strict'
import { showRanges } from '../../../src/core/render/show-plan.js'
import { showTable } from '../../../src/core/render/show-table.js'
import { showPlan, showProblems, showSteps } from '../../../src/index.js'
import { readHost } from '../../golden/read-cases.js'
import { planOf } from '../../plan-of.js'

describe('what people see', () => {
  it('aligns columns without blanks at the end', () => {
    assert.equal(
      showTable([
        ['A', 'LONG'],
        ['first', 'x'],
      ]),
      'A      LONG\nfirst  x',
    )
  })

  it('says once what was decided alike for many machines, and fits the terminal', () => {
    const many = Array.from(
      { length: 40 },
      (_, i) => `  - { name: vm${i}, memory: 64M, interfaces: [lan] }\n`,
    )
    const text = `version: 1\nname: many\nnetworks: [{ name: lan }]\nmachines:\n${many.join('')}`
    const plan = planOf(text, readHost('one-node'))
    const why = showPlan(plan).split('Why:')[1]?.trimEnd().split('\n') ?? []
    assert.ok(why.length < 10, why.join('\n'))
    assert.match(why.join('\n'), /^ {2}memory: 40 machines \(vm0, vm1, …\) +memfd/m)
    for (const line of showPlan(plan, 72).split('\n')) assert.ok(line.length <= 72, line)
  })

  it('joins neighbouring numbers', () => {
    assert.equal(showRanges([0, 1, 2, 3, 8]), '0-3,8')
    assert.equal(showRanges([]), '')
  })

  it('says when there is nothing to do', () => {
    assert.equal(showSteps([]), 'Nothing to do: everything is as wanted.\n')
  })

  it('prints problems like a compiler', () => {
    const problem = { code: 'spec-value', expected: '1', found: '2', hint: 'Write 1.' } as const
    const placed = { ...problem, file: 'pair.yaml', line: 7, column: 13, path: 'machines[0].memory' }
    assert.equal(
      showProblems([placed]),
      'pair.yaml:7:13 machines[0].memory: expected 1, found 2 [spec-value]\n  Write 1.\n',
    )
    const alike = showProblems([placed, { ...placed, line: 8 }, { ...placed, line: 9, hint: 'Write more.' }])
    assert.deepEqual(alike.split('\n').slice(1, 5), [
      'pair.yaml:8:13 machines[0].memory: expected 1, found 2 [spec-value]',
      '  Write 1.',
      'pair.yaml:9:13 machines[0].memory: expected 1, found 2 [spec-value]',
      '  Write more.',
    ])
    const many = showProblems(Array.from({ length: 64 }, (_, line) => ({ ...placed, line: line + 1 })))
    assert.deepEqual(many.trimEnd().split('\n').slice(39), [
      'pair.yaml:40:13 machines[0].memory: expected 1, found 2 [spec-value]',
      '  Write 1.',
      '… and 24 more',
    ])
    const host = { ...problem, file: '', line: 0, column: 0, path: '' }
    assert.equal(showProblems([host]), 'expected 1, found 2 [spec-value]\n  Write 1.\n')
  })
})
