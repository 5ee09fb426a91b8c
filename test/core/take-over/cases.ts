import { readdirSync, readFileSync } from 'node:fs'
import { specText } from '../../../src/core/take-over/show-taken-over.js'
import { type TakeOverSights, takeOver } from '../../../src/core/take-over/take-over.js'
import { parseXml } from '../../../src/core/xml/parse-xml.js'

const folder = 'test/core/take-over/cases'

export const noSights: TakeOverSights = {
  images: [],
  hostAddresses: [],
  applied: { networks: [] },
  seeds: [],
  connect: null,
}

export function caseNames(): string[] {
  return readdirSync(folder).flatMap((name) => (name.endsWith('.xml') ? [name.slice(0, -4)] : []))
}

/** The spec that is kept beside a definition of somebody else's. */
export function specFile(name: string): string {
  return `${folder}/${name}.yaml`
}

export function renderTakenOver(name: string): string {
  const xml = readFileSync(`${folder}/${name}.xml`, 'utf8')
  return specText(takeOver([parseXml(xml)], noSights), `${name}.xml`)
}
