export interface PingResult {
  sent: number
  received: number
  /** null when nothing came back. */
  rttAvgMs: number | null
}

/** The summary of ping, busybox's ("20 packets transmitted, 20 packets received") or iputils'. */
export function parsePing(text: string): PingResult {
  const counts = /(\d+) packets transmitted, (\d+)(?: packets)? received/.exec(text)
  const times = /(?:round-trip|rtt) min\/avg\/max\S* = [\d.]+\/([\d.]+)\//.exec(text)
  return {
    sent: Number(counts?.[1] ?? 0),
    received: Number(counts?.[2] ?? 0),
    rttAvgMs: times === null ? null : Number(times[1]),
  }
}
