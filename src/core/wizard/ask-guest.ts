import { gib, showSize } from '../spec/size.js'
import { checkDiskSize, checkFile, checkImage, checkUser } from './check-text.js'
import { guestOf } from './guest-choice.js'
import { type Answers, answerTo, choose, type Question } from './question.js'
import type { GuestChoice, Sights } from './sights.js'

/** What the machines boot; of an image also how large the disk is, its firmware and who logs in. */
export function askGuest(sights: Sights, answers: Answers): Question[] {
  const boot = answerTo(answers, 'boot')
  if (boot === 'own') return [askBoot(sights), ...askKernel(sights)]
  const asks = [askBoot(sights), ...(boot === 'image' ? [askImage(sights)] : [])]
  const disk = guestOf(sights, answers)?.disk ?? null
  if (disk === null) return asks
  return [
    ...asks,
    askSize(disk),
    ...askFirmware(sights),
    ...(disk.use === 'image' ? askLogin(sights, answers) : []),
  ]
}

function askBoot({ guests }: Sights): Question {
  const about = 'You are asked for its path.'
  const own = [
    { answer: 'image', label: 'a disk image or CD from elsewhere', about },
    { answer: 'own', label: 'a kernel of your own', about },
  ]
  const found = guests.map(({ id, label, about }) => ({ answer: id, label, about }))
  return choose({
    id: 'boot',
    prompt: 'What shall the machines boot?',
    why:
      found.length === 0
        ? 'None was found in the usual places. After `vhostkit demo` its guest can be chosen here.'
        : 'These were found on this host.',
    shown: [],
    choices: [...found, ...own],
    default: found[0]?.answer ?? 'own',
  })
}

/** No default knows where: such a question wants an answer. */
const path = { shown: [], choices: null, default: '' }

function askImage({ files }: Sights): Question {
  return {
    ...path,
    id: 'image',
    prompt: 'Where is the image?',
    why: 'An absolute path of a qcow2 or raw disk image, or of an .iso to install from.',
    check: (text) => checkImage(text, files),
  }
}

function askKernel({ files, guests }: Sights): Question[] {
  const none = 'an absolute path, for nothing to boot was found here; after `vhostkit demo` its guest is'
  return [
    {
      ...path,
      id: 'kernel',
      prompt: 'Where is the kernel?',
      why: 'An absolute path; QEMU loads it itself, so no boot loader is needed.',
      check: (text) => (text === '' && guests.length === 0 ? none : checkFile(text, files)),
    },
    {
      ...path,
      id: 'initrd',
      prompt: 'Where is its initial RAM disk?',
      why: 'An absolute path, or none.',
      default: 'none',
      check: (text) => (text === 'none' ? null : checkFile(text, files)),
    },
    {
      ...path,
      id: 'cmdline',
      prompt: 'What is its command line?',
      why: 'console=ttyS0 sends its messages to the console that vhostkit keeps.',
      default: 'console=ttyS0',
      check: (text) => (/^[^\0\r\n]{0,2047}$/.test(text) ? null : 'one line of at most 2047 characters'),
    },
  ]
}

type Disk = NonNullable<GuestChoice['disk']>

/** Room for a system and some packages; the file grows only with what is written. */
const usualBytes = { image: 10 * gib, cdrom: 20 * gib }

function askSize({ use, bytes }: Disk): Question {
  const least = use === 'image' ? bytes : 0
  return {
    id: 'disk',
    prompt: 'How large shall the disk of each machine be?',
    why:
      use === 'image'
        ? 'Each has one of its own over the image, which stays as it is; the file grows with what is written.'
        : 'An empty one to install on; the file grows with what is written. After the installation change boot to disk.',
    shown: use === 'image' ? [`the image: ${showSize(bytes)}`] : [],
    choices: null,
    default: showSize(Math.max(least, usualBytes[use])),
    check: (text) => checkDiskSize(text, least),
  }
}

/** Without a UEFI on the host there is nothing to choose. */
function askFirmware({ facts }: Sights): Question[] {
  if (facts.uefi === null) return []
  return [
    choose({
      id: 'firmware',
      prompt: 'Which firmware shall it boot with?',
      why: 'Cloud images mostly boot with both.',
      shown: [],
      choices: [
        { answer: 'bios', label: 'BIOS', about: 'Boots a little faster.' },
        { answer: 'uefi', label: 'UEFI', about: 'Without Secure Boot.' },
      ],
      default: 'bios',
    }),
  ]
}

/** The seed of cloud-init, where the program that makes it is there. */
function askLogin({ facts, keys }: Sights, answers: Answers): Question[] {
  if (!facts.makers.includes('xorriso')) return []
  const user: Question = {
    id: 'user',
    prompt: 'Who shall log in?',
    why: 'cloud-init in the image makes this user, with sudo, and sets up the network. Or: none, for an image without it.',
    shown: [],
    choices: null,
    default: 'admin',
    check: (text) => (text === 'none' ? null : checkUser(text)),
  }
  if (['', 'none'].includes(answerTo(answers, 'user')) || keys.length === 0) return [user]
  const found = keys.map(({ file, line }) => ({
    answer: file,
    label: file,
    about: line.split(' ').slice(2).join(' ') || (line.split(' ')[0] ?? ''),
  }))
  const none = { answer: 'none', label: 'none', about: 'Then add a password or key to the spec.' }
  return [
    user,
    choose({
      id: 'key',
      prompt: 'Which key may log in?',
      why: 'The public keys in your ~/.ssh; no password is needed with one.',
      shown: [],
      choices: [...found, none],
      default: found[0]?.answer ?? 'none',
    }),
  ]
}
