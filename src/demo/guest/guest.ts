import { join } from 'node:path'
import type { BootSpec } from '../../core/spec/spec.js'
import { cacheOf } from '../../world/cache-folder.js'
import { guestCmdline } from './cmdline.js'
import { makeInitrd } from './initrd.js'
import { makeKernel } from './kernel.js'

export interface GuestImage {
  kernel: string
  initrd: string
}

/** Makes the test guest, or finds it in the cache. `root` is the checkout or package. */
export async function makeGuest(
  root: string,
  say: (line: string) => void,
  signal: AbortSignal,
): Promise<GuestImage> {
  const cache = join(cacheOf(root), 'guest')
  const { kernel, modules } = await makeKernel(cache, say, signal)
  signal.throwIfAborted()
  const initrd = await makeInitrd(cache, { guest: join(root, 'native/guest'), modules }, say)
  return { kernel, initrd }
}

/** How a machine boots the guest with an address of its own (native/guest/init reads it). */
export function guestBoot(image: GuestImage, address: string): BootSpec {
  return { ...image, cmdline: `${guestCmdline} vhostkit.ip=${address}` }
}
