import assert from 'node:assert/strict'
import fc from 'fast-check'
import { cutText, showTable } from '../../../src/core/render/show-table.js'

const rows = [
  ['PORT', 'NETWORK', 'LAST ERROR'],
  ['a-long-name-of-a-port', 'lan', 'the socket is there, but nobody listens on it'],
]

describe('tables', () => {
  it('are as wide as their cells without a terminal', () => {
    assert.equal(
      showTable(rows),
      [
        'PORT                   NETWORK  LAST ERROR',
        'a-long-name-of-a-port  lan      the socket is there, but nobody listens on it',
      ].join('\n'),
    )
  })

  it('go on below in the last column, then are cut', () => {
    assert.equal(
      showTable(rows, 60),
      [
        'PORT                   NETWORK  LAST ERROR',
        'a-long-name-of-a-port  lan      the socket is there, but',
        '                                nobody listens on it',
      ].join('\n'),
    )
    assert.equal(
      showTable(rows, 40),
      [
        'PORT    NETWO…  LAST ERROR',
        'a-lon…  lan     the socket is there, but',
        '                nobody listens on it',
      ].join('\n'),
    )
  })

  it('fit every terminal that is wide enough for their columns at all, and lose no word of the last one', () => {
    const cell = fc.stringMatching(/^[a-z]{1,40}$/)
    const words = fc.array(fc.stringMatching(/^[a-z]{1,6}$/), { minLength: 1, maxLength: 12 })
    const table = fc.array(fc.tuple(cell, cell, words), { minLength: 1, maxLength: 5 })
    fc.assert(
      fc.property(table, fc.integer({ min: 22, max: 140 }), (made, width) => {
        const text = showTable(
          made.map(([a, b, c]) => [a, b, c.join(' ')]),
          width,
        )
        for (const line of text.split('\n')) assert.ok(line.length <= width, `${line.length} > ${width}`)
        for (const [, , c] of made) for (const word of c) assert.ok(text.includes(word))
      }),
    )
  })

  it('say with a mark that something was cut', () => {
    assert.equal(cutText('abcdef', 4), 'abc…')
    assert.equal(cutText('abcd', 4), 'abcd')
    assert.equal(cutText('abcd', 0), '')
  })
})
