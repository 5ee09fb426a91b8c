import type { Facts, ImageFact } from '../facts/facts.js'
import type { Folders } from '../plan/plan.js'
import type { BootSpec } from '../spec/spec.js'

/** What the wizard can see for itself, so that it need not ask. */
export interface Sights {
  facts: Facts
  folders: Folders
  /** A name for the deployment: that of the folder, when it can be one. */
  suggestedName: string
  /** IPv4 subnets that the host has routes to, as "10.0.0.0/8". */
  subnets: string[]
  /** Names of libvirt's own networks; null when libvirt does not answer. */
  libvirtNetworks: string[] | null
  guests: GuestChoice[]
  /** Public keys of the user: the name of the file, and its line. */
  keys: { file: string; line: string }[]
  files: FileSights
  /** Columns that the plan is shown in; null: as many as it takes. */
  width: number | null
}

/**
 * Looks at a file while its path is typed, so none waits or changes anything. A fault says what is wanted
 * and what was found; null when all is well.
 */
export interface FileSights {
  /** What keeps this user from reading it. */
  whyUnreadable(path: string): string | null
  /** What keeps this user from writing a new spec there; the path may be relative. */
  whyUnwritable(path: string): string | null
  /** The image in it; null when there is no such file. */
  readImage(path: string): ImageFact | null
}

/** Something that machines can boot. */
export interface GuestChoice {
  /** Its word in answers. */
  id: string
  label: string
  about: string
  /** null: it boots from its disk. */
  boot: BootSpec | null
  /** An image that each machine writes over, or a CD to install from; `bytes` is what a guest sees of it. */
  disk: { use: 'image' | 'cdrom'; path: string; bytes: number } | null
  /** It takes its address from `vhostkit.ip=` on the command line, as the demo's guest does. */
  addressed: boolean
}
