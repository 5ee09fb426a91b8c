import { readFileSync } from 'node:fs'
import { isAbsolute, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Folders } from '../core/plan/plan.js'
import { findCache, isCheckout } from '../world/cache-folder.js'

/** Where things are: the checkout or installed package, our native build, runtime files and state. */
export interface Places {
  root: string
  builtSwitch: string
  /** Of a package, which is built at first use; null: a checkout, which bin/setup builds. */
  sources: string | null
  folders: Folders
}

export interface PlaceOptions {
  runDir?: string | undefined
  stateDir?: string | undefined
}

/** Options before the environment before the defaults: /run and /var/lib as root, XDG folders otherwise. */
export function findPlaces(
  options: PlaceOptions,
  env: Record<string, string | undefined>,
  uid: number,
): Places {
  const root = fileURLToPath(new URL('../../..', import.meta.url)).replace(/\/$/, '')
  const run = options.runDir ?? env.VHOSTKIT_RUN_DIR ?? defaultRun(env, uid)
  const state = options.stateDir ?? env.VHOSTKIT_STATE_DIR ?? defaultState(env, uid)
  const installed = !isCheckout(root)
  return {
    root,
    builtSwitch: installed
      ? join(findCache(root, env, uid), `switch-${readVersionNow(root)}`, 'vhostkit-switch')
      : join(root, 'native/build/vhostkit-switch'),
    sources: installed ? join(root, 'native') : null,
    folders: { run: resolve(run), state: resolve(state) },
  }
}

function readVersionNow(root: string): string {
  return (JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }).version
}

function defaultRun(env: Record<string, string | undefined>, uid: number): string {
  if (uid === 0) return '/run/vhostkit'
  // Not /tmp: anybody could have made the folder there before us.
  const runtime = env.XDG_RUNTIME_DIR ?? ''
  return isAbsolute(runtime) ? join(runtime, 'vhostkit') : join(defaultState(env, uid), 'run')
}

function defaultState(env: Record<string, string | undefined>, uid: number): string {
  if (uid === 0) return '/var/lib/vhostkit'
  const home = env.XDG_STATE_HOME ?? ''
  return join(isAbsolute(home) ? home : join(env.HOME ?? '/', '.local/state'), 'vhostkit')
}
