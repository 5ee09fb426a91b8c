import { VhostkitError } from '../errors.js'

/** What a document is refused for; words of it are shown short and printable. */
export function refusedXml(why: string, at: number | null = null): VhostkitError {
  const cause = why.replace(/[^\x20-\x7e]/g, '?').slice(0, 200)
  return new VhostkitError('xml-refused', {
    sentence: `The XML is refused${at === null ? '' : ` at character ${at}`}: ${cause}.`,
    cause,
  })
}
