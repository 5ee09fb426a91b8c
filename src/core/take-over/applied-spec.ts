import { objectOf } from '../loose-values.js'
import { readYaml } from '../spec/read-yaml.js'

/** What stands in the spec that was applied, and in no definition of a domain: what the host and the switch do. */
export interface AppliedSpec {
  networks: AppliedNetwork[]
  /** The words of `switch:`; undefined when there are none. */
  switch?: unknown
}

export interface AppliedNetwork {
  network: string
  words: { dhcp?: unknown; nat?: unknown }
}

/** Of the text that a receipt keeps. */
export function appliedSpec(text: string): AppliedSpec {
  const { networks, switch: words } = objectOf(readYaml(text).value)
  const list = Array.isArray(networks) ? networks.map(objectOf) : []
  return { networks: list.flatMap(appliedNetwork), ...(words === undefined ? {} : { switch: words }) }
}

function appliedNetwork({ name, dhcp, nat }: Record<string, unknown>): AppliedNetwork[] {
  const words = { ...(dhcp === undefined ? {} : { dhcp }), ...(nat === undefined ? {} : { nat }) }
  return typeof name === 'string' && Object.keys(words).length > 0 ? [{ network: name, words }] : []
}
