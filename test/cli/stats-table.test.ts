import assert from 'node:assert/strict'
import { showPorts } from '../../src/cli/commands/switch-ports.js'
import { showStats } from '../../src/cli/commands/switch-stats.js'
import { sampleOf } from './seeing/sample-of.js'

describe('tables of the switch', () => {
  it('stats show what was tried again and what came of it', () => {
    const { stats } = sampleOf(1000, [{ name: 'one' }])
    const [first] = stats
    assert.ok(first !== undefined)
    const row = showStats([
      { ...first, retry: { tried: 50, delivered: 41 }, drops: { runt: 0, rx_no_room: 9 } },
    ])
    assert.match(row.split('\n')[0] ?? '', /TX BYTES +RETRIED +IN TIME +DROPS$/)
    assert.match(row.split('\n')[1] ?? '', / 50 +41 +rx_no_room 9$/)
    assert.equal(showStats([]), 'No ports.')
  })

  it('ports show who captures them', () => {
    const { ports } = sampleOf(1000, [{ name: 'one' }])
    const [first] = ports
    assert.ok(first !== undefined)
    const one = { frames: 5, lost: 2, bytes: 700 }
    assert.doesNotMatch(showPorts([first]), /CAPTURED/)
    assert.match(
      showPorts([{ ...first, captures: [one, one] }]),
      /^CAPTURED: port .*, by 2 clients; 4 frames lost$/m,
    )
  })
})
