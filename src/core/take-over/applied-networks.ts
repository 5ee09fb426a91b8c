import { readYaml } from '../spec/read-yaml.js'

/** What the host does for a network, as it stands in the spec that was applied: no definition of a domain says it. */
export interface AppliedNetwork {
  network: string
  words: { dhcp?: unknown; nat?: unknown }
}

/** Of the text that a receipt keeps. */
export function appliedNetworks(text: string): AppliedNetwork[] {
  const { value } = readYaml(text)
  const networks = objectOf(value).networks
  return (Array.isArray(networks) ? networks : []).map(objectOf).flatMap(({ name, dhcp, nat }) => {
    const words = { ...(dhcp === undefined ? {} : { dhcp }), ...(nat === undefined ? {} : { nat }) }
    return typeof name === 'string' && Object.keys(words).length > 0 ? [{ network: name, words }] : []
  })
}

function objectOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
}
