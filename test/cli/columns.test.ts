import assert from 'node:assert/strict'
import { type Column, showColumns } from '../../src/cli/columns.js'
import { showMacs } from '../../src/cli/commands/switch-macs.js'
import { showPorts } from '../../src/cli/commands/switch-ports.js'
import { showStats } from '../../src/cli/commands/switch-stats.js'
import { sampleOf } from './seeing/sample-of.js'

interface Row {
  name: string
  note: string
  path: string
}

const columns: Column<Row>[] = [
  { title: 'NAME', cell: ({ name }) => name, rank: 1, least: 8, cut: 'middle' },
  { title: 'PATH', cell: ({ path }) => path, rank: 3, least: 8, cut: 'start' },
  { title: 'NOTE', cell: ({ note }) => note, rank: 2, least: 10, wraps: true },
]
const rows = [
  { name: 'web-frontend-01', note: '-', path: '/run/a/b.sock' },
  { name: 'web-frontend-02', note: 'it did not answer', path: '-' },
]

describe('a table that fits', () => {
  const show = (all: Row[], width: number | null) => showColumns(columns, all, width).split('\n')

  it('is whole where nobody looks, or where there is room', () => {
    const whole = [
      'NAME             PATH           NOTE',
      'web-frontend-01  /run/a/b.sock  -',
      'web-frontend-02  -              it did not answer',
    ]
    assert.deepEqual(show(rows, null), whole)
    assert.deepEqual(show(rows, 49), whole)
  })

  it('cuts where it tells least, and folds sentences', () => {
    assert.deepEqual(show(rows, 38), [
      'NAME             PATH      NOTE',
      'web-frontend-01  …/b.sock  -',
      'web-frontend-02  -         it did not',
      '                           answer',
    ])
    assert.deepEqual(show(rows, 32), [
      'NAME        PATH      NOTE',
      'web-…nd-01  …/b.sock  -',
      'web-…nd-02  -         it did not',
      '                      answer',
    ])
  })

  it('says what it had no room for, and lets go first of what says nothing', () => {
    assert.deepEqual(show(rows, 22), [
      'NAME        NOTE',
      'web-…nd-01  -',
      'web-…nd-02  it did not',
      '            answer',
      '… no room for PATH:',
      '--json has all',
    ])
    const quiet = rows.map((row) => ({ ...row, note: '-' }))
    assert.deepEqual(show(quiet, 30), [
      'NAME             PATH',
      'web-frontend-01  /run/a/b.sock',
      'web-frontend-02  -',
    ])
  })

  it('prints nothing that could move the cursor', () => {
    assert.match(show([{ name: 'a\u001b[2J', note: '\n', path: '\t' }], null)[1] ?? '', /^a\?\[2J +\? +\?$/)
  })
})

describe('tables of forty machines', () => {
  const names = Array.from(
    { length: 40 },
    (_, index) => `production-cluster.frontend-web-${String(index + 1).padStart(2, '0')}.net0`,
  )
  const { ports, stats } = sampleOf(
    1000,
    names.map((name) => ({ name, rx: 123_456_789, drops: { rx_no_room: 1_234_567, no_destination: 89 } })),
  )
  const macs = names.map((port) => ({
    network: 'lan',
    mac: '52:54:00:12:34:56',
    vlan: 0,
    port,
    age_s: 7,
  }))
  const failed = ports.map((port, index) =>
    index === 20 ? { ...port, last_error: 'connect: Permission denied' } : port,
  )
  const tables = {
    ports: (width: number | null) => showPorts(failed, width),
    stats: (width: number | null) => showStats(stats, width),
    macs: (width: number | null) => showMacs(macs, width),
  }
  for (const [name, show] of Object.entries(tables)) {
    for (const width of [40, 60, 80, 200, null]) {
      it(`${name}: ${width === null ? 'whole in a pipe' : `${width} columns, and each machine can be told`}`, () => {
        const text = show(width)
        const lines = text.split('\n')
        for (const line of lines) assert.ok(line.length <= (width ?? Number.MAX_SAFE_INTEGER), line)
        for (const index of names.keys()) {
          const number = String(index + 1).padStart(2, '0')
          assert.ok(text.includes(width === null ? (names[index] ?? '') : `${number}.net0`), number)
        }
        if (name === 'ports') assert.match(text.replace(/\s+/g, ' '), /Permission.* denied/)
        if (width === null) assert.doesNotMatch(text, /…/)
      })
    }
  }
})
