import assert from 'node:assert/strict'
import { parseFilter } from '../../../src/core/capture/parse-filter.js'
import { makePcapngBlocks } from '../../../src/core/capture/pcapng-blocks.js'

/** A block of a type with a body, in little-endian. */
function block(type: number, body: Buffer): Buffer {
  const whole = Buffer.alloc(12 + body.length)
  whole.writeUInt32LE(type, 0)
  whole.writeUInt32LE(whole.length, 4)
  body.copy(whole, 8)
  whole.writeUInt32LE(whole.length, whole.length - 4)
  return whole
}

const count = (code: number, value: number) => {
  const option = Buffer.alloc(12)
  option.writeUInt16LE(code, 0)
  option.writeUInt16LE(8, 2)
  option.writeBigUInt64LE(BigInt(value), 4)
  return option
}

const statistics = block(
  5,
  Buffer.concat([Buffer.alloc(12), count(9, 1), count(4, 7), count(5, 2), Buffer.alloc(4)]),
)
const stream = Buffer.concat([
  block(0x0a0d0d0a, Buffer.alloc(16)),
  block(6, Buffer.alloc(80)),
  block(6, Buffer.alloc(24)),
  statistics,
])

describe('a stream of pcap-ng', () => {
  it('is passed on in whole blocks, however it comes, and counted', () => {
    for (let size = 1; size <= stream.length; size++) {
      const blocks = makePcapngBlocks(true)
      const passed: Uint8Array[] = []
      for (let at = 0; at < stream.length; at += size) {
        passed.push(Buffer.from(blocks.push(stream.subarray(at, at + size))))
        const length = Buffer.concat(passed).length
        assert.ok([0, 28, 120, 156, 156 + statistics.length].includes(length), `${length} bytes`)
      }
      assert.deepEqual(Buffer.concat(passed), stream)
      assert.deepEqual(blocks.counts(), { frames: 2, interface: { received: 7, dropped: 2 } })
    }
  })

  it('that breaks off keeps what is whole, and does not know what was lost', () => {
    const blocks = makePcapngBlocks(true)
    assert.equal(blocks.push(stream.subarray(0, 130)).length, 120)
    assert.deepEqual(blocks.counts(), { frames: 1, interface: null })
  })

  it('that is none is an error', () => {
    for (const size of [0, 8, 13, 0x7fff_fff0]) {
      const wrong = Buffer.from(stream)
      wrong.writeUInt32LE(size, 4)
      assert.throws(() => makePcapngBlocks(true).push(wrong), /none of pcap-ng/)
    }
    assert.throws(() => makePcapngBlocks(false).push(stream), /none of pcap-ng/)
  })

  it('with options cut short is counted as far as it goes', () => {
    const blocks = makePcapngBlocks(true)
    const option = Buffer.from([4, 0, 200, 0])
    blocks.push(block(5, Buffer.concat([Buffer.alloc(12), option])))
    assert.equal(blocks.counts().interface, null)
  })
})

describe('a compiled filter', () => {
  it('is read as tcpdump prints it', () => {
    assert.deepEqual(parseFilter('2\n40 0 0 12\n6 0 0 262144\n'), [
      [40, 0, 0, 12],
      [6, 0, 0, 262144],
    ])
  })

  it('or not at all', () => {
    const wrong = [
      '',
      '0\n',
      '2\n6 0 0 1\n',
      '1\n6 0 0\n',
      '1\n6 0 0 -1\n',
      '1\n6 256 0 1\n',
      '1\n6 0 0 4294967296\n',
      '1\nx 0 0 1\n',
      '1\n6 0 0 1 2\n',
    ]
    for (const text of wrong) assert.equal(parseFilter(text), null, text)
  })
})
