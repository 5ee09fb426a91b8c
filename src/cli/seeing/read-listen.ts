import { isIP } from 'node:net'
import { VhostkitError } from '../../core/errors.js'

/** "9720", "10.0.0.1:9720" or "[::1]:9720"; without an address only this host may ask. */
export function readListen(text: string): { host: string; port: number } {
  const match = /^(?:(?<host>[0-9.]+|\[[0-9a-fA-F:.]+\]):)?(?<port>\d{1,5})$/.exec(text)
  const host = (match?.groups?.host ?? '127.0.0.1').replace(/[[\]]/g, '')
  const port = Number(match?.groups?.port)
  if (match !== null && isIP(host) !== 0 && port <= 65_535) return { host, port }
  throw new VhostkitError('usage', {
    sentence: `--listen takes [ADDRESS:]PORT with an IP address, as in 127.0.0.1:9720; found ${text}.`,
  })
}
