import { setTimeout as sleep } from 'node:timers/promises'
import { VhostkitError } from '../core/errors.js'

export interface WaitOptions {
  /** What is waited for, to finish the sentence "waited 3 s for …". */
  what: string
  limitMs: number
  everyMs?: number
  signal?: AbortSignal | undefined
}

/** A wait that ran into its limit; the callers that know more replace it by an error of theirs. */
export class WaitedTooLong extends VhostkitError {
  constructor(what: string, limitMs: number) {
    super('timeout', { sentence: `Waited ${limitMs / 1000} s for ${what}.` })
  }
}

/** Asks again and again until the probe answers something; never without a limit. */
export async function waitFor<T>(
  options: WaitOptions,
  probe: () => Promise<T | null | undefined | false> | T | null | undefined | false,
): Promise<T> {
  const end = performance.now() + options.limitMs
  for (;;) {
    options.signal?.throwIfAborted()
    const found = await probe()
    if (found !== null && found !== undefined && found !== false) return found
    if (performance.now() >= end) throw new WaitedTooLong(options.what, options.limitMs)
    await pause(options.everyMs ?? 50, options.signal)
  }
}

/** Puts a limit on a promise that has none of its own; an abort ends the wait with the reason of the abort. */
export async function withLimit<T>(
  what: string,
  limitMs: number,
  promise: Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  // Once the wait is over nobody hears how the promise ends, also when the wait never began.
  promise.catch(() => undefined)
  signal?.throwIfAborted()
  let abort = () => {}
  let timer: NodeJS.Timeout | undefined
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new WaitedTooLong(what, limitMs)), limitMs)
    abort = () => reject(signal?.reason)
    signal?.addEventListener('abort', abort)
  })
  try {
    return await Promise.race([promise, limit])
  } finally {
    clearTimeout(timer)
    signal?.removeEventListener('abort', abort)
  }
}

/** Sleeps; an abort ends the sleep with the reason of the abort. */
export async function pause(ms: number, signal?: AbortSignal): Promise<void> {
  try {
    await sleep(ms, undefined, signal === undefined ? {} : { signal })
  } catch (error) {
    signal?.throwIfAborted()
    throw error
  }
}
