import { z } from 'zod'

/**
 * The shapes that schemas are put together of. Each message is the "expected"
 * part of a problem, so it reads on after that word.
 */
export const expecting = (error: string) => ({ error })

export const wholeNumber = (least: number, most: number) => {
  const range = expecting(`a whole number, ${least} to ${most}`)
  return z.int(range).min(least, range).max(most, range)
}

export const yesOrNo = z.boolean(expecting('true or false'))

/** A mapping without other keys than these; `what` when something shorter may stand in its place. */
export const mapping = <Shape extends z.core.$ZodLooseShape>(shape: Shape, what?: string) => {
  const keys = Object.keys(shape).join(', ')
  const error = (issue: { code?: string | undefined }) =>
    issue.code === 'unrecognized_keys' ? `one of ${keys}` : (what ?? `a mapping with ${keys}`)
  return z.strictObject(shape, { error })
}

export const list = <Item extends z.ZodType>(item: Item, what: string, least: number, most: number) => {
  const range = expecting(`a list of ${least === 0 ? 'at most' : `${least} to`} ${most} ${what}`)
  return z.array(item, range).min(least, range).max(most, range)
}

/** A text of one pattern. */
export const text = (pattern: RegExp, what: string) =>
  z.string(expecting(what)).regex(pattern, expecting(what))
