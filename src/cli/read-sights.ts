import { homedir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import type { ImageFact } from '../core/facts/facts.js'
import { namePattern } from '../core/spec/names.js'
import { requireConnect } from '../core/spec/override-spec.js'
import { imageChoice } from '../core/wizard/guest-choice.js'
import type { GuestChoice, Sights } from '../core/wizard/sights.js'
import { listNetworks } from '../drivers/libvirt/list-networks.js'
import { readFacts } from '../host/facts.js'
import { readFileSights, whyUnreadable } from '../host/file-sights.js'
import { listFolder } from '../world/files.js'
import { findImages, readKeys } from './find-images.js'
import type { Places } from './places.js'
import { findTestGuest } from './read-input.js'

/** Everything the wizard looks at before it asks. `force`: files that are there may be written over. */
export async function readSights(places: Places, folder: string, force: boolean): Promise<Sights> {
  const facts = await readFacts(places.builtSwitch)
  const name = basename(folder)
  const [libvirtNetworks, guests, images, keys] = await Promise.all([
    facts.libvirt === null ? null : listNetworks(requireConnect(undefined, facts.uid)),
    findGuests(places.root, folder),
    findImages(folder, homedir()),
    readKeys(join(homedir(), '.ssh')),
  ])
  const here = ({ path }: ImageFact) => dirname(path) === folder
  return {
    facts: { ...facts, images },
    folders: places.folders,
    suggestedName: namePattern.test(name) && name.length <= 24 ? name : 'lab',
    subnets: facts.routes.map(({ subnet }) => subnet),
    libvirtNetworks,
    guests: [
      ...images.filter(here).map(imageChoice),
      ...guests,
      ...images.filter((image) => !here(image)).map(imageChoice),
    ],
    keys,
    files: readFileSights(folder, force),
    width: process.stderr.isTTY === true && process.stderr.columns > 0 ? process.stderr.columns : null,
  }
}

/** Kernels with their RAM disks in the folder, and the demo's guest when it was made. */
async function findGuests(root: string, folder: string): Promise<GuestChoice[]> {
  const files = await listFolder(folder)
  const readable = (file: string) => whyUnreadable(join(folder, file)) === null
  const kernels = files.filter((file) => /^(vmlinuz|bzImage)/.test(file) && readable(file))
  const own = kernels.map((kernel): GuestChoice => {
    const version = kernel.replace(/^[^-]*/, '')
    const initrd = files.find(
      (file) => /^(initrd|initramfs)/.test(file) && file.includes(version) && readable(file),
    )
    const boot = {
      kernel: join(folder, kernel),
      initrd: initrd === undefined ? '' : join(folder, initrd),
      cmdline: 'console=ttyS0',
    }
    return {
      id: kernel,
      about: boot.kernel,
      disk: null,
      label: `${kernel}${initrd === undefined ? '' : ` with ${initrd}`}`,
      boot,
      addressed: false,
    }
  })
  const test = await findTestGuest(root)
  const demo = { id: 'demo', label: "the demo's guest, which answers pings", disk: null, addressed: true }
  return [...own, ...(test === undefined ? [] : [{ ...demo, about: test.kernel, boot: test }])]
}
