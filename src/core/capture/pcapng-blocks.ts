/** What was in a stream of pcap-ng so far. */
export interface PcapngCounts {
  /** Packets. */
  frames: number
  /** The interface's own count of them, and of those that are not in the stream; null: it has not said so yet. */
  interface: { received: number; dropped: number } | null
}

export interface PcapngBlocks {
  /** Takes more bytes; returns those that end a block, so that what is passed on can always be read. Throws for what is no pcap-ng. */
  push(bytes: Uint8Array): Uint8Array
  counts(): PcapngCounts
}

const blockPacket = 6
const blockStatistics = 5
const optionReceived = 4
const optionDropped = 5

/** The longest block that the switch writes is one of a frame of 64 KiB. */
const longestBlock = 1024 * 1024

/** Cuts a stream of pcap-ng, in this machine's byte order, at its blocks, and counts what is in them. */
export function makePcapngBlocks(littleEndian: boolean): PcapngBlocks {
  let pending: Uint8Array = new Uint8Array(0)
  const counts: PcapngCounts = { frames: 0, interface: null }
  return {
    counts: () => ({ ...counts }),
    push: (bytes) => {
      const all = join(pending, bytes)
      const view = new DataView(all.buffer, all.byteOffset, all.byteLength)
      let at = 0
      for (
        let size = sizeAt(view, at, littleEndian);
        size <= all.length - at;
        size = sizeAt(view, at, littleEndian)
      ) {
        countBlock(new DataView(all.buffer, all.byteOffset + at, size), littleEndian, counts)
        at += size
      }
      pending = all.slice(at)
      return all.subarray(0, at)
    },
  }
}

function join(first: Uint8Array, second: Uint8Array): Uint8Array {
  if (first.length === 0) return second
  const all = new Uint8Array(first.length + second.length)
  all.set(first)
  all.set(second, first.length)
  return all
}

/** Of the block there; infinite when not even its head is. */
function sizeAt(view: DataView, at: number, littleEndian: boolean): number {
  if (view.byteLength - at < 8) return Number.POSITIVE_INFINITY
  const size = view.getUint32(at + 4, littleEndian)
  if (size >= 12 && size % 4 === 0 && size <= longestBlock) return size
  throw new RangeError(`a block of ${size} bytes is none of pcap-ng`)
}

function countBlock(block: DataView, littleEndian: boolean, counts: PcapngCounts): void {
  const type = block.getUint32(0, littleEndian)
  if (type === blockPacket) counts.frames++
  if (type !== blockStatistics) return
  const received = findCount(block, optionReceived, littleEndian)
  const dropped = findCount(block, optionDropped, littleEndian)
  if (received !== null && dropped !== null) counts.interface = { received, dropped }
}

/** A number of 8 bytes among the options of a statistics block. */
function findCount(block: DataView, wanted: number, littleEndian: boolean): number | null {
  const end = block.byteLength - 4
  for (let at = 20; at + 4 <= end; ) {
    const code = block.getUint16(at, littleEndian)
    const length = block.getUint16(at + 2, littleEndian)
    if (code === wanted && length === 8 && at + 12 <= end)
      return Number(block.getBigUint64(at + 4, littleEndian))
    at += 4 + Math.ceil(length / 4) * 4
  }
  return null
}
