import { join } from 'node:path'
import type { ImageFact } from '../core/facts/facts.js'
import { publicKeyPattern } from '../core/spec/cloud-init-schema.js'
import { readImages } from '../host/images.js'
import { listFolder, readText } from '../world/files.js'

/** Where images usually are, beside the folder one is in. */
const usualFolders = ['/var/lib/libvirt/images', '/srv/images', '/srv/iso']

/** More of them nobody reads in a list. */
const mostImages = 24

/** Images that can be used as they are: whole by themselves, of a format that we know, by what is in them. */
export async function findImages(folder: string, home: string, usual = usualFolders): Promise<ImageFact[]> {
  const folders = [...new Set([folder, ...usual, join(home, 'Downloads')])]
  const paths = await Promise.all(
    folders.map(async (one) => {
      // A folder that this user may not read has nothing for him.
      const names = await listFolder(one).catch(() => [])
      return names.filter((name) => /\.(qcow2|img|raw|iso)$/i.test(name)).map((name) => join(one, name))
    }),
  )
  const images = readImages(paths.flat().slice(0, 10 * mostImages))
  const seen = new Set<string>()
  const usable = images.filter(({ fault, backing, identity }) => {
    const good = fault === null && backing === null && !seen.has(identity)
    seen.add(identity)
    return good
  })
  return usable.slice(0, mostImages)
}

/** The public keys of a folder such as ~/.ssh, the first line of each file. */
export async function readKeys(folder: string): Promise<{ file: string; line: string }[]> {
  const files = (await listFolder(folder).catch(() => [])).filter((name) => name.endsWith('.pub'))
  const keys = await Promise.all(
    files.map(async (file) => {
      const text = (await readText(join(folder, file)).catch(() => null)) ?? ''
      return { file, line: text.split('\n')[0]?.trim() ?? '' }
    }),
  )
  return keys.filter(({ line }) => publicKeyPattern.test(line))
}
