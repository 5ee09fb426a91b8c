/** Enough to know a text again. */
const most = 70

/** What a problem quotes of a file. */
export function shorten(text: string): string {
  return text.length > most ? `${text.slice(0, most)}…` : text
}
