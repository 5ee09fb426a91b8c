import assert from 'node:assert/strict'
import { parseStartOptions } from '../../native/bench/options.js'
import { measureStart, showStart } from '../../native/bench/start.js'
import { VhostkitError } from '../../src/core/errors.js'

describe('bench of starting', function () {
  this.timeout(60_000)

  it('has a default for everything, and gives nothing for help', () => {
    assert.deepEqual(parseStartOptions([]), { rounds: 20, json: false })
    assert.deepEqual(parseStartOptions(['--rounds', '3', '--json']), { rounds: 3, json: true })
    assert.equal(parseStartOptions(['--help', '--json']), null)
  })

  for (const words of [['--rounds', '0'], ['--rounds', '1.5'], ['--rounds'], ['--runs', '3'], ['3']]) {
    it(`refuses ${words.join(' ')}`, async () => {
      assert.throws(
        () => parseStartOptions(words),
        (error) => error instanceof VhostkitError && error.exitCode === 2,
      )
    })
  }

  it('measures what costs something, in as many rounds as told', async () => {
    const result = await measureStart(2)
    assert.deepEqual([result.rounds, result.node], [2, process.version])
    const node = result.starts.find(({ what }) => what === 'node -e 0')
    assert.equal(node?.beyond_node_ms, 0)
    for (const { what, cpu_ms } of result.starts) {
      assert.ok(0 < cpu_ms.min && cpu_ms.min <= cpu_ms.median && cpu_ms.median <= cpu_ms.max, what)
    }
    const help = result.starts.find(({ what }) => what === 'vhostkit --help')
    assert.ok((help?.cpu_ms.median ?? 0) > (node?.cpu_ms.median ?? Number.NaN), JSON.stringify(result))
    const table = showStart(result)
    for (const { what } of result.starts) assert.ok(table.includes(what), what)
    assert.match(table, /^Medians of 2 rounds/)
  })
})
