import { runProgram } from '../world/run-program.js'

/** Whether two CIDR subnets of IPv4 share addresses. */
export function overlaps(a: string, b: string): boolean {
  const [first, second] = [parseSubnet(a), parseSubnet(b)]
  if (first === null || second === null) return false
  const bits = Math.min(first.bits, second.bits)
  return bits === 0 || first.address >>> (32 - bits) === second.address >>> (32 - bits)
}

/** The subnets in `ip -json route show`, the default route left out. */
export function parseRoutes(text: string): string[] {
  if (text.trim() === '') return []
  const routes = JSON.parse(text) as { dst?: string; dev?: string }[]
  return routes.flatMap(({ dst }) => (dst === undefined || dst === 'default' ? [] : [dst]))
}

/** The route of this host that a subnet would collide with; null when there is none. */
export async function findCollision(subnet: string): Promise<string | null> {
  const { stdout } = await runProgram('ip', ['-json', '-4', 'route', 'show'])
  return parseRoutes(stdout).find((route) => overlaps(route, subnet)) ?? null
}

function parseSubnet(text: string): { address: number; bits: number } | null {
  const match = /^(\d+)\.(\d+)\.(\d+)\.(\d+)(?:\/(\d+))?$/.exec(text)
  if (match === null) return null
  const [a = 0, b = 0, c = 0, d = 0] = match.slice(1, 5).map(Number)
  return { address: ((a << 24) | (b << 16) | (c << 8) | d) >>> 0, bits: Number(match[5] ?? 32) }
}
