import { readText } from './files.js'

/** The kernel's name of this boot: what was taken from the kernel in another one is gone. */
export async function readBootId(): Promise<string> {
  return ((await readText('/proc/sys/kernel/random/boot_id')) ?? '').trim()
}
