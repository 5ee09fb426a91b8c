/** MAC addresses as written: six pairs of hex digits with colons. */

export const macPattern = /^[0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2}){5}$/

/** Why a network card cannot have this address (of the right form); null when it can. */
export function whyNotACardMac(mac: string): string | null {
  if (/^(00:){5}00$/.test(mac)) return 'the zero address'
  // The lowest bit of the first byte is the group bit.
  return (Number.parseInt(mac.slice(0, 2), 16) & 1) === 1 ? 'a multicast address' : null
}
