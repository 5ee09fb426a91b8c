import { type Cidr, cidrsOverlap, parseCidr, whyNotAHostAddress } from '../spec/address.js'
import { userSchema } from '../spec/cloud-init-schema.js'
import { diskSizeSchema } from '../spec/disk-schema.js'
import { mib, parseSize, showSize } from '../spec/size.js'
import { cpusSchema, nameSchema, sizeSchema } from '../spec/value-schemas.js'
import { splitWords } from './question.js'
import type { FileSights } from './sights.js'

/** Each says what was expected instead of a text, in the words of the spec's own schema; null when it is good. */
export function checkName(text: string): string | null {
  return refusalOf(nameSchema, text)
}

/** Names in a list, each once; `known`: the only ones there are. */
export function checkNames(text: string, most: number, known: string[] | null = null): string | null {
  const names = splitWords(text)
  if (names.length === 0 || names.length > most) return `1 to ${most} names with commas between them`
  const stranger = names.find((name) => known !== null && !known.includes(name))
  if (stranger !== undefined) return `names out of ${known?.join(', ')}; found ${stranger}`
  const again = names.find((name, index) => names.indexOf(name) !== index)
  if (again !== undefined) return `each name once; found ${again} again`
  return names.map(checkName).find((refusal) => refusal !== null) ?? null
}

export function checkCpus(text: string): string | null {
  return refusalOf(cpusSchema, /^[0-9]{1,4}$/.test(text) ? Number(text) : text)
}

export function checkCount(text: string, most: number): string | null {
  const count = /^[0-9]{1,5}$/.test(text) ? Number(text) : 0
  return count >= 1 && count <= most ? null : `a whole number, 1 to ${most}`
}

/** Whole hugepages of 2M, so that the answer holds whether there are any or not. */
export function checkMemory(text: string, mostBytes: number): string | null {
  const refusal = refusalOf(sizeSchema, text)
  if (refusal !== null) return refusal
  const bytes = parseSize(text) ?? 0
  if (bytes % (2 * mib) !== 0) return 'a multiple of 2M, the size of a hugepage'
  return bytes <= mostBytes ? null : `at most ${showSize(mostBytes)}, for the host has no more`
}

/** A host's address whose subnet nobody else has; "none" for no address. */
export function checkHost(text: string, others: string[]): string | null {
  if (text === 'none') return null
  const cidr = parseCidr(text)
  if (cidr === null) return 'one address such as 192.168.77.1/24, or none'
  const fault = whyNotAHostAddress(cidr)
  if (fault !== null) return `an address that a host can have; this is ${fault}`
  const rival = findRival(cidr, others)
  return rival === null ? null : `a subnet of its own; ${rival} is in use`
}

/** The first of some subnets that shares addresses with this one. */
export function findRival(cidr: Cidr, others: string[]): string | null {
  return (
    others.find((other) => {
      const subnet = parseCidr(other.includes('/') ? other : `${other}/32`)
      return subnet !== null && cidrsOverlap(cidr, subnet)
    }) ?? null
  )
}

/** A size that an image fits into. */
export function checkDiskSize(text: string, leastBytes: number): string | null {
  const refusal = refusalOf(diskSizeSchema, text)
  if (refusal !== null) return refusal
  return (parseSize(text) ?? 0) >= leastBytes ? null : `at least ${showSize(leastBytes)}, which the image has`
}

export function checkUser(text: string): string | null {
  return refusalOf(userSchema, text)
}

/** An absolute path of a file that this user can read. */
export function checkFile(text: string, files: FileSights): string | null {
  return /^\/[^\0\r\n]*$/.test(text) ? files.whyUnreadable(text) : 'an absolute path'
}

/** An image that is whole by itself, as `plan` wants it. */
export function checkImage(text: string, files: FileSights): string | null {
  const refusal = checkFile(text, files)
  if (refusal !== null) return refusal
  const image = files.readImage(text)
  if (image === null) return `a file that is there; ${text} is gone`
  const fault = image.backing === null ? image.fault : `it lies over ${image.backing}`
  return fault === null ? null : `an image of qcow2 or raw that is whole by itself; of ${text}: ${fault}`
}

interface Schema {
  safeParse(value: unknown): { success: boolean; error?: { issues: { message: string }[] } | undefined }
}

function refusalOf(schema: Schema, value: unknown): string | null {
  const parsed = schema.safeParse(value)
  return parsed.success ? null : (parsed.error?.issues[0]?.message ?? 'something else')
}
