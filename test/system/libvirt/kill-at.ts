import { spawnSync } from 'node:child_process'

/** How a hook ended: killed at the point asked for, or by itself before it came to it. */
export interface KilledAt {
  killed: boolean
  status: number | null
  stderr: string
}

/**
 * Runs the hook's launcher and ends it with SIGKILL at a write of its account: every
 * write ends in a rename. Even points are just before the rename, odd ones just after.
 * Nothing in the product knows of it: the module is loaded before the launcher's own.
 */
export function runKilledAt(point: number, state: string, operation: string, xml: string): KilledAt {
  const code = `
    import fs from 'node:fs/promises'
    import { syncBuiltinESMExports } from 'node:module'
    const rename = fs.rename
    let count = 0
    const end = () => process.kill(process.pid, 'SIGKILL')
    fs.rename = async (...args) => {
      const at = count++
      if (${point} === 2 * at) end()
      await rename(...args)
      if (${point} === 2 * at + 1) end()
    }
    syncBuiltinESMExports()`
  const before = `data:text/javascript,${encodeURIComponent(code)}`
  const { status, signal, stderr } = spawnSync(
    process.execPath,
    ['--import', before, 'bin/vhostkit-hook.cjs', state, operation],
    { input: xml, encoding: 'utf8', timeout: 20_000 },
  )
  return { killed: signal === 'SIGKILL', status, stderr }
}
