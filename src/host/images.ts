import { closeSync, constants, fstatSync, openSync, readSync, statSync } from 'node:fs'
import type { ImageFact } from '../core/facts/facts.js'

/** A header of qcow2 with the longest name of what it lies over (QEMU: 1023 bytes). */
const headBytes = 64 * 1024

/** What is known of an image from its first bytes. */
export type ImageHeader = Pick<ImageFact, 'format' | 'bytes' | 'backing' | 'fault'>

/**
 * Reads the header of an image of `fileBytes`. Only what QEMU would open by
 * itself alone is good: an image that names other files names them on our host.
 */
export function parseImage(head: Uint8Array, fileBytes: number): ImageHeader {
  const bytes = Buffer.from(head.buffer, head.byteOffset, head.byteLength)
  if (bytes.length >= 4 && bytes.readUInt32BE(0) === 0x514649fb) return parseQcow2(bytes)
  const raw = { format: 'raw' as const, bytes: fileBytes, backing: null }
  const other = otherFormats.find(
    ({ at, magic }) => bytes.subarray(at, at + magic.length).toString('latin1') === magic,
  )
  if (other !== undefined) return { ...raw, fault: `it is of the format ${other.name}` }
  return { ...raw, fault: fileBytes === 0 ? 'it is empty' : null }
}

const otherFormats = [
  { name: 'vmdk', at: 0, magic: 'KDMV' },
  { name: 'vmdk', at: 0, magic: '# Disk DescriptorFile' },
  { name: 'vdi', at: 64, magic: '\x7f\x10\xda\xbe' },
  { name: 'vhdx', at: 0, magic: 'vhdxfile' },
  { name: 'vpc', at: 0, magic: 'conectix' },
  { name: 'qed', at: 0, magic: 'QED\0' },
  { name: 'luks', at: 0, magic: 'LUKS\xba\xbe' },
  { name: 'gzip', at: 0, magic: '\x1f\x8b' },
  { name: 'xz', at: 0, magic: '\xfd7zXZ' },
]

/** docs/interop/qcow2.txt of QEMU: big-endian fields at fixed places. */
function parseQcow2(bytes: Buffer): ImageHeader {
  const broken = (fault: string): ImageHeader => ({ format: 'qcow2', bytes: 0, backing: null, fault })
  if (bytes.length < 72) return broken('its qcow2 header is cut off')
  const version = bytes.readUInt32BE(4)
  if (version !== 2 && version !== 3) return broken(`it is qcow2 of version ${version}`)
  const size = bytes.readBigUInt64BE(24)
  if (size > BigInt(Number.MAX_SAFE_INTEGER)) return broken('its size is beyond all reason')
  const backing = readBacking(bytes)
  const incompatible = version === 3 && bytes.length >= 80 ? bytes.readBigUInt64BE(72) : 0n
  const faults = [
    backing === undefined ? 'the name of what it lies over is beyond its header' : null,
    bytes.readUInt32BE(32) === 0 ? null : 'it is encrypted',
    (incompatible & 2n) === 0n ? null : 'it is marked as corrupt',
    (incompatible & 4n) === 0n ? null : 'its data is in another file',
  ]
  const fault = faults.find((found) => found !== null) ?? null
  return { format: 'qcow2', bytes: Number(size), backing: backing ?? null, fault }
}

/** null: nothing; undefined: a name that is not where a name can be. */
function readBacking(bytes: Buffer): string | null | undefined {
  const offset = bytes.readBigUInt64BE(8)
  const length = bytes.readUInt32BE(16)
  if (offset === 0n) return null
  const end = offset + BigInt(length)
  if (length === 0 || length > 1023 || end > BigInt(bytes.length)) return undefined
  return bytes.toString('utf8', Number(offset), Number(end))
}

/** The images of these paths that are there, each path once. */
export function readImages(paths: string[]): ImageFact[] {
  return [...new Set(paths)].map(readImage).filter((fact) => fact !== null)
}

/** The image at a path; null when there is nothing. At once, as the wizard asks with every key. */
export function readImage(path: string): ImageFact | null {
  const unreadable = (fault: string): ImageFact => {
    return { path, format: 'raw', bytes: 0, backing: null, identity: path, fault }
  }
  try {
    // Opening a device can set it off, and a pipe would keep us waiting if it took the place of a file just now.
    if (!statSync(path).isFile()) return unreadable('it is no file')
    const file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
    try {
      const { size, dev, ino } = fstatSync(file)
      const head = Buffer.alloc(headBytes)
      const bytesRead = readSync(file, head, 0, headBytes, 0)
      return { path, ...parseImage(head.subarray(0, bytesRead), size), identity: `${dev}:${ino}` }
    } finally {
      closeSync(file)
    }
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    return code === 'ENOENT' || code === 'ENOTDIR' ? null : unreadable(message)
  }
}
