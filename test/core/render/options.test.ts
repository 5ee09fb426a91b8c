import assert from 'node:assert/strict'
import fc from 'fast-check'
import { renderOptions } from '../../../src/core/render/qemu/options.js'

/** Takes options apart as QEMU does: a doubled comma is one within a value. */
function parse(text: string): string[] {
  return text
    .replaceAll(',,', '\0')
    .split(',')
    .map((part) => part.replaceAll('\0', ','))
}

describe('QEMU options', () => {
  it('leaves out null, and writes on and off', () => {
    assert.equal(
      renderOptions('socket', { id: 'c', server: true, wait: false, path: null }),
      'socket,id=c,server=on,wait=off',
    )
    assert.equal(renderOptions(null, { cpus: 2 }), 'cpus=2')
  })

  it('brings every path through', () => {
    fc.assert(
      fc.property(
        fc.string().filter((path) => !path.includes('\0')),
        (path) => {
          assert.deepEqual(parse(renderOptions('socket', { path, id: 'x' })), [
            'socket',
            `path=${path}`,
            'id=x',
          ])
        },
      ),
    )
  })
})
