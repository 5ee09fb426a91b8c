/** What was started and taken, in order: given back in reverse, whatever happened. */
export class Belongings {
  readonly #items: { what: string; giveBack: () => Promise<void> }[] = []

  add(what: string, giveBack: () => Promise<void>): void {
    this.#items.push({ what, giveBack })
  }

  /** Gives everything back. One that fails does not keep the others; the sentences say which did. */
  async giveBack(): Promise<string[]> {
    const failures: string[] = []
    for (let item = this.#items.pop(); item !== undefined; item = this.#items.pop()) {
      try {
        await item.giveBack()
      } catch (error) {
        failures.push(`${item.what} could not be given back: ${(error as Error).message}`)
      }
    }
    return failures
  }
}
