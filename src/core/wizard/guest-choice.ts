import type { ImageFact } from '../facts/facts.js'
import { showSize } from '../spec/size.js'
import { type Answers, answerTo } from './question.js'
import type { GuestChoice, Sights } from './sights.js'

/** What the machines shall boot; null while that is open, and for a kernel of one's own. */
export function guestOf(sights: Sights, answers: Answers): GuestChoice | null {
  const image = ownImage(sights, answers)
  if (image !== null) return imageChoice(image)
  return sights.guests.find(({ id }) => id === answerTo(answers, 'boot')) ?? null
}

/** The image whose path was typed. */
export function ownImage({ files }: Sights, answers: Answers): ImageFact | null {
  const path = answerTo(answers, 'image')
  return path === '' ? null : files.readImage(path)
}

export function imageChoice({ path, format, bytes }: ImageFact): GuestChoice {
  const isCd = format === 'raw' && /\.iso$/i.test(path)
  return {
    id: path,
    label: `${path.replace(/^.*\//, '')}, ${isCd ? 'a CD to install from' : `a disk image (${format})`}`,
    about: `${path}, ${showRoughly(bytes)}`,
    boot: null,
    disk: { use: isCd ? 'cdrom' : 'image', path, bytes },
    addressed: false,
  }
}

function showRoughly(bytes: number): string {
  const mib = 1024 * 1024
  return bytes < mib ? showSize(bytes) : showSize(Math.ceil(bytes / mib) * mib)
}
