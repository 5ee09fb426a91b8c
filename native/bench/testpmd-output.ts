/** The prompt after which testpmd waits for the next command. */
export const testpmdPrompt = /testpmd> $/

/** What `show fwd stats all` says of the cores, with record-core-cycles on; null when nothing was forwarded. */
export function parseForwardCycles(text: string): number | null {
  const match = /CPU cycles\/packet=[\d.]+ \(total cycles=(\d+) \/ total [^=]*=(\d+)\)/.exec(text)
  if (match === null || Number(match[2]) === 0) return null
  return Number(match[1]) / Number(match[2])
}

/** Frames received by each port since the start, in order, of `show port stats all`. */
export function parseReceived(text: string): number[] {
  return [...text.matchAll(/RX-packets: (\d+) +RX-missed/g)].map(([, count]) => Number(count))
}

/** The sum of what all ports received a second since the last time this was asked. */
export function parseReceiveRate(text: string): number {
  return [...text.matchAll(/Rx-pps: +(\d+)/g)].reduce((sum, [, rate]) => sum + Number(rate), 0)
}
