import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'

/**
 * What was seen in a real run, kept in docs. `npm run record` writes it; every other run must show the same
 * as far as `constant` goes, which leaves out what depends on the host and the hour.
 */
export function keepRecording(file: string, seen: string, constant: (text: string) => string): void {
  if (process.env.VHOSTKIT_RECORD !== undefined) writeFileSync(file, `${seen.trimEnd()}\n`)
  else assert.equal(constant(seen), constant(readFileSync(file, 'utf8')), `${file}: npm run record`)
}

/** A script that also shows each of its lines before it runs it; a line is a command. */
export function echoLines(lines: readonly string[]): string {
  return lines.flatMap((line) => [`printf '%s\\n' ${quote(`$ ${line}`)}`, line]).join('\n')
}

/** The recording, with the places of an ordinary installation. */
export function inOrdinaryPlaces(text: string, base: string): string {
  return text
    .replaceAll(`${base}/run`, '/run/vhostkit')
    .replaceAll(base, '/home/you')
    .replaceAll(process.cwd(), '/opt/vhostkit')
}

/** Without what a clock, a build or a host gives: times, the hash of the RAM disk, hugepages, libvirt. */
export function sameEverywhere(text: string): string {
  return text
    .replace(/"(reserve|release)-hugepages [^"]*",?/g, '')
    .replace(/"(hugepages|driver)":"\w+",/g, '')
    .replace(/\d+\.\d{3,}/g, 'N')
    .replace(/\d+ ?ms/g, 'N ms')
    .replace(/initrd-\w+/g, 'initrd-N')
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}
