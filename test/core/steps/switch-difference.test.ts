import assert from 'node:assert/strict'
import { switchDifference } from '../../../src/core/steps/switch-difference.js'

const plain = ['/opt/vhostkit-switch', '--control', '/run/s', '--monitor', '--idle', 'adaptive']

describe('a switch that runs otherwise than planned', () => {
  it('is told by the options that differ, those that one side lacks too', () => {
    const wanted = [...plain.slice(0, -1), 'poll', '--user', 'nets']
    assert.deepEqual(switchDifference(wanted, [...plain, '--cores', '2,3']), {
      expected: '--idle poll --user nets no --cores',
      found: '--idle adaptive no --user --cores 2,3',
    })
    assert.deepEqual(
      switchDifference(
        plain,
        plain.filter((word) => word !== '--monitor'),
      ),
      {
        expected: '--monitor',
        found: 'no --monitor',
      },
    )
  })

  it('may be another program', () => {
    assert.deepEqual(switchDifference(plain, ['/usr/bin/vhostkit-switch', ...plain.slice(1)]), {
      expected: '/opt/vhostkit-switch',
      found: '/usr/bin/vhostkit-switch',
    })
  })

  it('is none with the same options in another order, nor when nothing could be read', () => {
    const [program = '', control = '', path = '', ...others] = plain
    assert.equal(switchDifference(plain, [program, ...others, control, path]), null)
    assert.equal(switchDifference(plain, null), null)
  })
})
