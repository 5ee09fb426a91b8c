import { isAbsolute, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Folders } from '../core/plan/plan.js'

/** Where things are: the checkout, our native build, runtime files and state. */
export interface Places {
  root: string
  builtSwitch: string
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
  return {
    root,
    builtSwitch: join(root, 'native/build/vhostkit-switch'),
    folders: { run: resolve(run), state: resolve(state) },
  }
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
