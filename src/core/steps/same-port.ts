import type { PortRequest } from '../render/artifacts.js'

/** Whether two ports would be asked for in the same words. */
export function samePort(a: PortRequest, b: PortRequest): boolean {
  return JSON.stringify(sorted(a)) === JSON.stringify(sorted(b))
}

function sorted(port: PortRequest): [string, unknown][] {
  return Object.entries(port).sort(([a], [b]) => (a < b ? -1 : 1))
}
