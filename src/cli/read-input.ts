import { join } from 'node:path'
import { readSpec, requireSpec, type SpecText } from '../apply/prepare.js'
import { VhostkitError } from '../core/errors.js'
import type { PlanOptions } from '../core/plan/make-plan.js'
import { macPattern, whyNotACardMac } from '../core/spec/mac.js'
import { overrideSpec, requireConnect, requireName } from '../core/spec/override-spec.js'
import type { BootSpec, Spec } from '../core/spec/spec.js'
import { guestCmdline } from '../demo/guest/cmdline.js'
import { cacheOf } from '../world/cache-folder.js'
import { exists, listFolder } from '../world/files.js'
import type { CommandInput } from './command.js'
import type { Places } from './places.js'

export interface SpecInput {
  specText: SpecText
  spec: Spec
  planOptions: PlanOptions
}

/** The spec a command was given, and what machines boot that do not say. */
export async function readSpecInput(input: CommandInput, places: Places): Promise<SpecInput> {
  const specText = await readSpec(input.args.spec ?? '')
  const { driver, connect } = input.options
  const spec = overrideSpec(requireSpec(specText), {
    driver: typeof driver === 'string' ? driver : undefined,
    connect: typeof connect === 'string' ? connect : undefined,
  })
  const planOptions = { fileName: specText.path, defaultBoot: await findTestGuest(places.root) }
  return { specText, spec, planOptions }
}

/** The guest that the demo made, so that a spec without `boot` has something to start. */
export async function findTestGuest(root: string): Promise<BootSpec | undefined> {
  const cache = join(cacheOf(root), 'guest')
  const kernel = join(cache, 'kernel/vmlinuz')
  const initrd = (await listFolder(cache)).find((name) => /^initrd-.*\.gz$/.test(name))
  if (initrd === undefined || !(await exists(kernel))) return undefined
  return { kernel, initrd: join(cache, initrd), cmdline: guestCmdline }
}

/** A whole number of an option, or its default. */
export function readCount(
  input: CommandInput,
  name: string,
  otherwise: number,
  most: number,
  least = 0,
): number {
  const text = input.options[name]
  if (text === undefined) return otherwise
  const value = Number(text)
  if (!Number.isInteger(value) || value < least || value > most) {
    throw new VhostkitError('usage', {
      sentence: `--${name} takes a whole number, ${least} to ${most}; found ${text}.`,
    })
  }
  return value
}

/** Which libvirt a command is for. */
export function readConnect(input: CommandInput): string {
  const { connect } = input.options
  return requireConnect(typeof connect === 'string' ? connect : undefined, process.geteuid?.() ?? 0)
}

/** A name of an option; null without it. */
export function readName(input: CommandInput, name: string): string | null {
  const text = input.options[name]
  return typeof text === 'string' ? requireName(`--${name}`, text) : null
}

/** A name that is an argument. */
export function readRequiredName(what: string, text: string | undefined): string {
  return requireName(what, text ?? '')
}

/** A MAC address of an option, in lower case; null without it. */
export function readMac(input: CommandInput, name: string): string | null {
  const text = input.options[name]
  if (typeof text !== 'string') return null
  const why = macPattern.test(text) ? whyNotACardMac(text) : 'not of the form 52:54:00:12:34:56'
  if (why === null) return text.toLowerCase()
  throw new VhostkitError('usage', {
    sentence: `--${name} takes the MAC address of a card; ${text} is ${why}.`,
  })
}

/** Seconds that machines get to shut down by themselves, in ms. */
export function readGrace(input: CommandInput): number {
  return readCount(input, 'grace', 10, 3600) * 1000
}

/** How long to wait for another CLI at work, in ms. */
export function readWait(input: CommandInput): number {
  return readCount(input, 'wait', 10, 3600) * 1000
}
