import type { Facts } from '../core/facts/facts.js'
import { runProgram } from '../world/run-program.js'

/** The subnets in `ip -json -4 route show`, the default route left out. */
export function parseRoutes(text: string): Facts['routes'] {
  if (text.trim() === '') return []
  const routes = JSON.parse(text) as { dst?: string; dev?: string }[]
  return routes.flatMap(({ dst, dev }) => {
    if (dst === undefined || dst === 'default') return []
    return [{ subnet: dst.includes('/') ? dst : `${dst}/32`, link: dev ?? 'no link' }]
  })
}

export async function readRoutes(): Promise<Facts['routes']> {
  const { stdout } = await runProgram('ip', ['-json', '-4', 'route', 'show'], {
    env: { PATH: `${process.env.PATH ?? ''}:/usr/sbin:/sbin` },
  })
  return parseRoutes(stdout)
}
