import { readRoutes } from '../host/routes.js'

/** Whether two CIDR subnets of IPv4 share addresses. */
export function overlaps(a: string, b: string): boolean {
  const [first, second] = [parseSubnet(a), parseSubnet(b)]
  if (first === null || second === null) return false
  const bits = Math.min(first.bits, second.bits)
  return bits === 0 || first.address >>> (32 - bits) === second.address >>> (32 - bits)
}

/** The route of this host that a subnet would collide with; null when there is none. */
export async function findCollision(subnet: string): Promise<string | null> {
  return (await readRoutes()).find((route) => overlaps(route.subnet, subnet))?.subnet ?? null
}

function parseSubnet(text: string): { address: number; bits: number } | null {
  const match = /^(\d+)\.(\d+)\.(\d+)\.(\d+)(?:\/(\d+))?$/.exec(text)
  if (match === null) return null
  const [a = 0, b = 0, c = 0, d = 0] = match.slice(1, 5).map(Number)
  return { address: ((a << 24) | (b << 16) | (c << 8) | d) >>> 0, bits: Number(match[5] ?? 32) }
}
