import assert from 'node:assert/strict'
import { nearestWord } from '../../../src/core/spec/nearest-word.js'

const keys = ['name', 'cpus', 'memory', 'hugepages', 'hugepage-size', 'node', 'boot', 'interfaces']

describe('nearest word', () => {
  it('finds what was meant', () => {
    const meant: [string, string][] = [
      ['memroy', 'memory'],
      ['Memory', 'memory'],
      ['hugepage', 'hugepages'],
      ['hugepagesize', 'hugepage-size'],
      ['cpu', 'cpus'],
      ['interface', 'interfaces'],
      ['nmae', 'name'],
    ]
    for (const [word, key] of meant) assert.equal(nearestWord(word, keys), key, word)
  })

  it('suggests nothing when nothing is near', () => {
    for (const word of ['', 'disk', 'x', 'y'.repeat(100_000)]) assert.equal(nearestWord(word, keys), null)
  })
})
