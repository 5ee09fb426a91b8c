import type { TakeOverSights } from './take-over.js'

/** A network as one card knows it. */
export interface NetworkWord {
  name: string
  mtu: number
  link: boolean
}

/** Each network once, with the largest MTU that a card has, and the host's own addresses. */
export function gatherNetworks(
  words: NetworkWord[],
  { hostAddresses, applied }: TakeOverSights,
): Record<string, unknown>[] {
  const names = [...new Set(words.map(({ name }) => name))]
  return names.map((name) => {
    const own = words.filter((word) => word.name === name)
    const mtu = Math.max(...own.map((word) => word.mtu))
    const addresses = hostAddresses.find(({ network }) => network === name)?.addresses ?? []
    const host = addresses.length === 1 ? addresses[0] : { addresses }
    return {
      name,
      ...(mtu === 1500 ? {} : { mtu }),
      ...(own.some(({ link }) => link) ? { link: true } : {}),
      ...(addresses.length === 0 ? {} : { host }),
      ...applied.networks.find(({ network }) => network === name)?.words,
    }
  })
}
