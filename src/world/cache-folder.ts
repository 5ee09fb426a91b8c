import { existsSync } from 'node:fs'
import { isAbsolute, join } from 'node:path'

/** Whether our files are those of a checkout; a package has no compiler settings. */
export function isCheckout(root: string): boolean {
  return existsSync(join(root, 'tsconfig.json'))
}

/**
 * Where things are kept that can be made again: within a checkout; for a package, whose folder may be another
 * user's, as root in /var/cache, else in the user's own cache.
 */
export function findCache(root: string, env: Record<string, string | undefined>, uid: number): string {
  if (isCheckout(root)) return join(root, '.cache')
  const chosen = env.VHOSTKIT_CACHE_DIR ?? ''
  if (isAbsolute(chosen)) return chosen
  if (uid === 0) return '/var/cache/vhostkit'
  const home = env.XDG_CACHE_HOME ?? ''
  return join(isAbsolute(home) ? home : join(env.HOME ?? '/', '.cache'), 'vhostkit')
}

/** The cache of this process. */
export function cacheOf(root: string): string {
  return findCache(root, process.env, process.geteuid?.() ?? 0)
}
