import assert from 'node:assert/strict'
import fc from 'fast-check'
import { cidrsOverlap, parseCidr, whyNotAHostAddress } from '../../../src/core/spec/address.js'

function cidr(text: string) {
  const parsed = parseCidr(text)
  assert.ok(parsed, text)
  return parsed
}

describe('address', () => {
  it('knows the bounds of a subnet', () => {
    const { first, last, family } = cidr('192.168.77.1/24')
    assert.deepEqual([first, last, family], [0xc0a84d00n, 0xc0a84dffn, 4])
    assert.equal(cidr('fd00::1/64').last - cidr('fd00::1/64').first, 2n ** 64n - 1n)
    assert.equal(cidr('::ffff/128').address, 0xffffn)
    assert.equal(cidr('1:2:3:4:5:6:7:8/1').address & 0xffffn, 8n)
  })

  it('refuses what is no address with a prefix', () => {
    const wrong = ['', '10.0.0.1', '10.0.0.1/33', '10.0.0/8', '10.0.0.256/8', '10.0.0.01/8', '10.0.0.1/08']
    const wrong6 = ['::/129', '1::2::3/64', '12345::/16', '1:2:3:4:5:6:7/64', '1:2:3:4:5:6:7:8:9/64', ':1/64']
    for (const text of [...wrong, ...wrong6, 'fe80::1%eth0/64', '1:2:3:4:5:6:7::8/64x']) {
      assert.equal(parseCidr(text), null, text)
    }
  })

  it('says why a host cannot have it', () => {
    const unusable = [
      '0.0.0.0/8',
      '10.0.0.0/8',
      '10.255.255.255/8',
      '127.0.0.1/8',
      '224.0.0.1/4',
      '10.0.0.1/0',
    ]
    for (const text of [...unusable, '::/64', '::1/128', 'ff02::1/16', '255.255.255.255/32']) {
      assert.notEqual(whyNotAHostAddress(cidr(text)), null, text)
    }
    for (const text of ['10.0.0.1/8', '10.0.0.0/31', '10.0.0.1/32', 'fd00::1/64', '192.168.77.1/24']) {
      assert.equal(whyNotAHostAddress(cidr(text)), null, text)
    }
  })

  it('overlaps exactly when one holds the other', () => {
    const byte = fc.integer({ min: 0, max: 255 })
    const parts = fc.tuple(byte, byte, fc.integer({ min: 0, max: 16 }))
    fc.assert(
      fc.property(parts, parts, ([a, b, p], [c, d, q]) => {
        const left = cidr(`${a}.${b}.0.1/${p}`)
        const right = cidr(`${c}.${d}.0.1/${q}`)
        const [wide, narrow] = p <= q ? [left, right] : [right, left]
        const holds = wide.first <= narrow.address && narrow.address <= wide.last
        return cidrsOverlap(left, right) === holds && cidrsOverlap(right, left) === holds
      }),
    )
  })
})
