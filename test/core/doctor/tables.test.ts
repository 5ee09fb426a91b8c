import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { errorTexts } from '../../../src/core/doctor/error-texts.js'
import { examineTuning, type Tuning } from '../../../src/core/doctor/examine-tuning.js'
import { findingTable } from '../../../src/core/doctor/finding-table.js'
import { explanations, renderTroubleshooting } from '../../../src/core/doctor/troubleshooting.js'
import { errorTable } from '../../../src/core/errors.js'
import { parseGroups } from '../../../src/host/groups.js'
import { parseChoice } from '../../../src/host/tuning.js'

describe('what codes mean', () => {
  it('is in docs/troubleshooting.md as it is here', () => {
    assert.equal(
      readFileSync('docs/troubleshooting.md', 'utf8'),
      renderTroubleshooting(),
      'run npm run golden',
    )
  })

  it('is told for every error and finding, and for nothing else', () => {
    assert.deepEqual(Object.keys(errorTexts).sort(), Object.keys(errorTable).sort())
    const codes = explanations().map(({ code }) => code)
    assert.equal(new Set(codes).size, codes.length, 'an error and a finding share a code')
    for (const { code, cause, look, mend } of explanations()) {
      assert.match(code, /^[a-z]+(-[a-z]+)*$/)
      for (const text of [cause, look, mend]) assert.match(text, /\S.*[.?}]$/s, `${code}: ${text}`)
    }
    const causes = explanations().map(({ cause }) => cause)
    assert.equal(new Set(causes).size, causes.length)
  })

  it('is told of no finding that no rule has', () => {
    const rules = ['src/core/doctor', 'src/host', 'src/drivers/switch', 'src/doctor']
      .flatMap((folder) => readdirSync(folder).map((name) => join(folder, name)))
      .filter((path) => path.endsWith('.ts') && !path.endsWith('finding-table.ts'))
      .map((path) => readFileSync(path, 'utf8'))
      .join('\n')
    assert.deepEqual(
      Object.keys(findingTable).filter((code) => !rules.includes(`'${code}'`)),
      [],
    )
  })
})

describe('settings of a host', () => {
  const good: Tuning = {
    iommus: ['dmar0'],
    thp: 'madvise',
    isolated: [],
    governors: ['performance'],
    workerCores: [1],
  }
  const codes = (more: Partial<Tuning>) =>
    examineTuning({ ...good, ...more }).flatMap(({ code }) => code ?? [])

  it('are fine, or each a note of its own', () => {
    assert.deepEqual(codes({}), [])
    assert.deepEqual(codes({ iommus: [] }), ['iommu-off'])
    assert.deepEqual(codes({ thp: 'never' }), ['thp-never'])
    assert.deepEqual(codes({ governors: ['performance', 'powersave'] }), ['governor-slow'])
    assert.deepEqual(codes({ isolated: [2, 3] }), ['isolated-unused'])
    assert.deepEqual(codes({ isolated: [1, 2] }), [])
    assert.deepEqual(codes({ isolated: [2], workerCores: [] }), [])
    assert.deepEqual(codes({ thp: null, governors: [] }), [])
  })

  it('are read from what the kernel and the files of users say', () => {
    assert.equal(parseChoice('always [madvise] never\n'), 'madvise')
    assert.equal(parseChoice(''), null)
    assert.deepEqual(parseGroups('q', 'q:x:7:9::/:\n', 'kvm:x:12:a,q\nq:x:9:\nz:x:5:qq\n'), [9, 12])
  })
})
