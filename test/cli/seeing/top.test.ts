import assert from 'node:assert/strict'
import { viewOf } from '../../../src/cli/seeing/rates.js'
import { showShort, showTime } from '../../../src/cli/seeing/show-number.js'
import { showTop, type TopOptions } from '../../../src/cli/seeing/show-top.js'
import { sampleOf } from './sample-of.js'

const long = 'a-deployment-with-a-long-name.machine-with-a-longer-one.0'
const workers = [
  { core: 1, node: 0, load: 783, state: 'polling' as const },
  { core: 9, node: 1, load: 0 },
]
const before = sampleOf(
  1_000,
  [{ name: 'pair.vm1.0' }, { name: 'pair.vm2.0', drops: { runt: 4 } }, { name: long }],
  workers,
)
const now = sampleOf(
  3_000,
  [
    { name: 'pair.vm1.0', rx: 2_468_000, tx: 20, drops: { rx_no_room: 24, mtu: 2 } },
    { name: 'pair.vm2.0', rx: 10, tx: 2_468_000, drops: { runt: 4 }, node: 1 },
    { name: long, network: 'storage', state: 'waiting', node: -1 },
  ],
  workers,
)
const plain: TopOptions = { width: 120, height: null, sort: 'name', scroll: 0, color: false, footer: null }
const show = (options: Partial<TopOptions>) => showTop(viewOf(before, now), { ...plain, ...options })

describe('top: rates', () => {
  it("are by the switch's own clock", () => {
    const { seconds, ports } = viewOf(before, now)
    assert.equal(seconds, 2)
    assert.deepEqual(ports[0]?.rx, { frames_per_s: 1_234_000, bits_per_s: 987_200_000 })
    assert.deepEqual(ports[0]?.drops_per_s, { rx_no_room: 12, mtu: 1 })
    assert.deepEqual(ports[1]?.drops_per_s, {})
    assert.deepEqual(ports[1]?.drops, { runt: 4 })
  })

  it('begin anew with another process, a new port, or one that was made again', () => {
    const restarted = viewOf(before, sampleOf(4_000, [{ name: 'pair.vm1.0', rx: 5 }], [{}], 8))
    assert.equal(restarted.seconds, null)
    assert.equal(restarted.ports[0]?.rx, null)
    const after = viewOf(
      now,
      sampleOf(5_000, [
        { name: 'pair.vm1.0', rx: 5 },
        { name: 'new', rx: 9 },
      ]),
    )
    assert.deepEqual(
      after.ports.map(({ rx }) => rx),
      [null, null],
    )
  })
})

describe('top: screen', () => {
  it('has everything where there is room', () => {
    assert.deepEqual(show({ width: 160 }), [
      'vhostkit-switch 0.1.0  up 3 s  pid 7  start 1',
      '1.23M frames/s, 987Mbit/s in, 13 dropped/s  3 ports (1 waiting), 2 networks',
      'node 0: 1 worker, 1 guest  node 1: 1 worker, 1 guest',
      '',
      'WORKER    LOAD                        CORE  NODE  STATE     QUEUES',
      '     0  78.3 %  ################....     1     0  polling        0',
      '     1   0.0 %  ....................     9     1  sleeping       0',
      '',
      'PORT                                                       NETWORK  STATE    NODE   RX/s  bit/s   TX/s  bit/s  DROP/s  DROPS BY REASON',
      'a-deployment-with-a-long-name.machine-with-a-longer-one.0  storage  waiting     -      0      0      0      0       0',
      'pair.vm1.0                                                 lan      up          0  1.23M   987M     10  8.00k      13  rx_no_room 12/s, mtu 1/s',
      'pair.vm2.0                                                 lan      up          1      5  4.00k  1.23M   987M       0  runt 4',
    ])
  })

  for (const width of [40, 60, 80, 132]) {
    it(`fits ${width} columns, with the loudest ports first`, () => {
      const lines = show({ width, sort: 'drops' })
      for (const line of lines) assert.ok(line.length <= width, `${line.length}: ${line}`)
      assert.deepEqual(lines, snapshots[width])
    })
  }

  it('fits the height, scrolls, and says what is not shown', () => {
    const ports = Array.from({ length: 30 }, (_, index) => ({
      name: `port${String(index).padStart(2, '0')}`,
    }))
    const view = viewOf(null, sampleOf(1_000, ports))
    const lines = showTop(view, { ...plain, height: 14, scroll: 5, footer: 'q quit' })
    assert.equal(lines.length, 14)
    assert.match(lines[8] ?? '', /^port05/)
    assert.equal(lines.at(-2), '… 26 of 30 ports not shown')
    assert.equal(lines.at(-1), 'q quit')
    const end = showTop(view, { ...plain, height: 14, scroll: 99, footer: 'q quit' })
    assert.match(end.at(-3) ?? '', /^port29/)
    assert.equal(showTop(view, { ...plain, height: 3, footer: 'q quit' }).length, 3)
  })

  it('counts as people do, and shows first what is broken', () => {
    const ports = Array.from({ length: 40 }, (_, index) => ({
      name: `vm${index + 1}`,
      state: index === 30 ? ('broken' as const) : ('up' as const),
    }))
    const lines = showTop(viewOf(null, sampleOf(1, ports)), { ...plain, height: 14 })
    assert.match(lines.join('\n'), /40 ports \(1 BROKEN\)/)
    const rows = lines.filter((line) => line.startsWith('vm')).map((line) => line.split(' ')[0])
    assert.deepEqual(rows.slice(0, 4), ['vm31', 'vm1', 'vm2', 'vm3'])
  })

  it('marks trouble in colour, and nothing moves by that', () => {
    const painted = show({ color: true })
    const marks = new RegExp(`${String.fromCharCode(27)}\\[[0-9;]*m`, 'g')
    const stripped = painted.map((line) => line.replace(marks, '').trimEnd())
    assert.deepEqual(stripped, show({}))
    assert.ok(painted.some((line) => line.includes('[1;31m    13')))
    const far = viewOf(null, sampleOf(1, [{ name: 'a', node: 1, remote: 1 }]))
    assert.match(showTop(far, plain).join('\n'), /WRONG NODE: a /)
  })

  it('lets no text move the cursor', () => {
    const view = viewOf(null, sampleOf(1, [{ name: 'evil\x1b[2J\n' }]))
    assert.match(showTop(view, plain).join('\n'), /evil\?\[2J\?/)
  })
})

describe('top: numbers', () => {
  it('take five characters', () => {
    const cases: [number, string][] = [
      [0, '0'],
      [0.5, '0.50'],
      [12.34, '12.3'],
      [999.4, '999'],
      [999.6, '1.00k'],
      [1_234_000, '1.23M'],
      [98_700_000_000, '98.7G'],
    ]
    for (const [value, text] of cases) assert.equal(showShort(value), text)
    assert.equal(showTime(400), '0 s')
    assert.equal(showTime(3_723_000), '1 h 2 min')
    assert.equal(showTime(200_000_000), '2 d 7 h')
  })
})

const snapshots: Record<number, string[]> = {
  40: [
    'vhostkit-switch 0.1.0  up 3 s  pid 7',
    'start 1',
    '1.23M frames/s, 987Mbit/s in, 13',
    'dropped/s',
    '3 ports (1 waiting), 2 networks',
    'node 0: 1 worker, 1 guest',
    'node 1: 1 worker, 1 guest',
    '',
    'WORKER    LOAD',
    '     0  78.3 %  ################....',
    '     1   0.0 %  ....................',
    '',
    'PORT                 RX/s   TX/s  DROP/s',
    'pair.vm1.0          1.23M     10      13',
    'a-deplo…nger-one.0      0      0       0',
    'pair.vm2.0              5  1.23M       0',
  ],
  60: [
    'vhostkit-switch 0.1.0  up 3 s  pid 7  start 1',
    '1.23M frames/s, 987Mbit/s in, 13 dropped/s',
    '3 ports (1 waiting), 2 networks',
    'node 0: 1 worker, 1 guest  node 1: 1 worker, 1 guest',
    '',
    'WORKER    LOAD                        CORE  NODE  STATE',
    '     0  78.3 %  ################....     1     0  polling',
    '     1   0.0 %  ....................     9     1  sleeping',
    '',
    'PORT             STATE     RX/s  bit/s   TX/s  bit/s  DROP/s',
    'pair.vm1.0       up       1.23M   987M     10  8.00k      13',
    'a-depl…er-one.0  waiting      0      0      0      0       0',
    'pair.vm2.0       up           5  4.00k  1.23M   987M       0',
  ],
  80: [
    'vhostkit-switch 0.1.0  up 3 s  pid 7  start 1',
    '1.23M frames/s, 987Mbit/s in, 13 dropped/s  3 ports (1 waiting), 2 networks',
    'node 0: 1 worker, 1 guest  node 1: 1 worker, 1 guest',
    '',
    'WORKER    LOAD                        CORE  NODE  STATE     QUEUES',
    '     0  78.3 %  ################....     1     0  polling        0',
    '     1   0.0 %  ....................     9     1  sleeping       0',
    '',
    'PORT                STATE     RX/s  bit/s   TX/s  bit/s  DROP/s  DROPS BY REASON',
    'pair.vm1.0          up       1.23M   987M     10  8.00k      13  rx_no_room 12/…',
    'a-deplo…nger-one.0  waiting      0      0      0      0       0',
    'pair.vm2.0          up           5  4.00k  1.23M   987M       0  runt 4',
  ],
  132: [
    'vhostkit-switch 0.1.0  up 3 s  pid 7  start 1',
    '1.23M frames/s, 987Mbit/s in, 13 dropped/s  3 ports (1 waiting), 2 networks',
    'node 0: 1 worker, 1 guest  node 1: 1 worker, 1 guest',
    '',
    'WORKER    LOAD                        CORE  NODE  STATE     QUEUES',
    '     0  78.3 %  ################....     1     0  polling        0',
    '     1   0.0 %  ....................     9     1  sleeping       0',
    '',
    'PORT                                                     NETWORK  STATE    NODE   RX/s  bit/s   TX/s  bit/s  DROP/s  DROPS BY REASON',
    'pair.vm1.0                                               lan      up          0  1.23M   987M     10  8.00k      13  rx_no_room 12/…',
    'a-deployment-with-a-lo…name.machine-with-a-longer-one.0  storage  waiting     -      0      0      0      0       0',
    'pair.vm2.0                                               lan      up          1      5  4.00k  1.23M   987M       0  runt 4',
  ],
}
