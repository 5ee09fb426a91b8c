import assert from 'node:assert/strict'
import fc from 'fast-check'
import { parseSize, showSize } from '../../../src/core/spec/size.js'

describe('size', () => {
  it('reads what people write', () => {
    const sizes: [string, number][] = [
      ['256M', 268435456],
      ['256MiB', 268435456],
      ['256 MB', 268435456],
      ['2g', 2147483648],
      ['1T', 1099511627776],
      ['4k', 4096],
      ['1048576', 1048576],
      [' 16M ', 16777216],
    ]
    for (const [text, bytes] of sizes) assert.equal(parseSize(text), bytes, text)
  })

  it('refuses everything else', () => {
    for (const text of ['', 'M', '-1M', '1.5G', '1e9', '0x10', '256Mb/s', '1P', '9999999T', '1 2M', '١M']) {
      assert.equal(parseSize(text), null, text)
    }
  })

  it('reads back what it shows', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 50 }), (bytes) => parseSize(showSize(bytes)) === bytes),
    )
  })

  it('never throws and never gives half a byte', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const bytes = parseSize(text)
        return bytes === null || (Number.isSafeInteger(bytes) && bytes >= 0)
      }),
    )
  })
})
