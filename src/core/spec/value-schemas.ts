import { z } from 'zod'
import { macPattern } from './mac.js'
import { namePattern } from './names.js'
import { expecting, text, wholeNumber } from './shape.js'
import { gib, mib, parseSize, sizePattern } from './size.js'

/** The shape of single values: names, sizes, addresses, paths. */
export const nameSchema = text(
  namePattern,
  'a name of letters, digits, "_", "." and "-", at most 63, letter or digit first',
)

/** A size in bytes, of at least so many. */
export const sizeOf = (least: number, most: number, what: string) =>
  z
    .union([z.string().regex(sizePattern, expecting(what)), z.int(expecting(what))], expecting(what))
    .transform((size) => parseSize(String(size)) ?? 0)
    .refine((bytes) => bytes >= least && bytes <= most, expecting(what))

export const sizeSchema = sizeOf(16 * mib, 16 * 1024 * gib, 'a size such as 256M or 2G, 16M to 16T')

export const macSchema = text(macPattern, 'a MAC address such as 52:54:00:12:34:56').transform((mac) =>
  mac.toLowerCase(),
)

export const cpusSchema = wholeNumber(1, 256)
export const queuesSchema = wholeNumber(1, 64)
export const policySchema = z.enum(['preferred', 'required', 'off'], expecting('preferred, required or off'))
export const pageSizeSchema = z
  .enum(['2M', '1G'], expecting('2M or 1G'))
  .transform((size) => (size === '2M' ? 2 * mib : gib))

const nodeText = expecting('auto, the number of a host node, or a list of them')
const nodeNumber = z.int(nodeText).min(0, nodeText).max(1023, nodeText)
export const nodesSchema = z
  .union([z.literal('auto'), nodeNumber, z.array(nodeNumber).min(1, nodeText).max(16, nodeText)], nodeText)
  .transform((node) => (typeof node === 'number' ? [node] : node))

/** Of at most so many bytes as Linux takes; without control characters, which XML has no way to write. */
export const pathSchema = text(/^\/\P{Cc}{0,4000}$/u, 'an absolute path')

export const addressText = 'an address with its prefix length, such as 192.168.77.1/24'
export const addressSchema = text(/^[0-9A-Fa-f:.]+\/[0-9]{1,3}$/, addressText)
