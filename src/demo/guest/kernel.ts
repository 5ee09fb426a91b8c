import { cp, mkdtemp, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { VhostkitError } from '../../core/errors.js'
import { exists, listFolder, makeFolder, removeFolder } from '../../world/files.js'
import { runProgram } from '../../world/run-program.js'

/** The virtio drivers, the file system of seeds, and all they need; the guest's init loads them in the right order. */
const modulePaths = [
  'drivers/virtio/virtio_ring.ko',
  'drivers/virtio/virtio.ko',
  'drivers/virtio/virtio_pci_modern_dev.ko',
  'drivers/virtio/virtio_pci_legacy_dev.ko',
  'drivers/virtio/virtio_pci.ko',
  'net/core/failover.ko',
  'drivers/net/net_failover.ko',
  'drivers/net/virtio_net.ko',
  'drivers/block/virtio_blk.ko',
  'drivers/char/virtio_console.ko',
  'drivers/cdrom/cdrom.ko',
  'fs/isofs/isofs.ko',
]

export interface GuestKernel {
  kernel: string
  modules: string
}

/** The package that Debian's cloud kernel metapackage stands for. */
export function parseKernelPackage(dependencies: string): string | null {
  return /^\s*Depends:\s*(linux-image-\S+)/m.exec(dependencies)?.[1] ?? null
}

/** Debian's cloud kernel and the modules of the guest, downloaded once and unpacked, never installed. */
export async function makeKernel(
  cache: string,
  say: (line: string) => void,
  signal: AbortSignal,
): Promise<GuestKernel> {
  const done = join(cache, 'kernel')
  const made = { kernel: join(done, 'vmlinuz'), modules: join(done, 'modules') }
  if (await isComplete(made)) return made
  await makeFolder(cache)
  const work = await mkdtemp(join(cache, 'work-'))
  try {
    say('downloading the guest kernel')
    await download(work, signal)
    say('unpacking the guest kernel')
    await unpack(work)
    await removeFolder(done)
    // One rename: a cache is complete or not there.
    await rename(join(work, 'kernel'), done)
    return made
  } finally {
    await removeFolder(work)
  }
}

/** A cache of an earlier version may lack a module. */
async function isComplete({ kernel, modules }: GuestKernel): Promise<boolean> {
  const wanted = modulePaths.map(fileName)
  const there = await listFolder(modules)
  return (await exists(kernel)) && wanted.every((name) => there.includes(name))
}

function fileName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}

async function download(work: string, signal: AbortSignal): Promise<void> {
  const first = await tryDownload(work, signal)
  if (first === '') return
  // Package lists that are missing or old: one update, one more try.
  await runProgram('apt-get', ['-q', 'update'], { timeoutMs: 120_000, signal })
  const second = await tryDownload(work, signal)
  if (second !== '') {
    throw new VhostkitError('guest-unavailable', {
      sentence: `The kernel of the test guest cannot be downloaded: ${second}.`,
    })
  }
}

/** Returns why it failed; empty when it did not. */
async function tryDownload(work: string, signal: AbortSignal): Promise<string> {
  const dependencies = await runProgram('apt-cache', ['depends', 'linux-image-cloud-amd64'])
  const name = parseKernelPackage(dependencies.stdout)
  if (name === null) return 'no package list has linux-image-cloud-amd64'
  const result = await runProgram('apt-get', ['-q', 'download', name], {
    cwd: work,
    timeoutMs: 180_000,
    signal,
  })
  signal.throwIfAborted()
  return result.ok ? '' : result.failure
}

async function unpack(work: string): Promise<void> {
  const [archive = ''] = (await listFolder(work)).filter((name) => name.endsWith('.deb'))
  const root = join(work, 'root')
  const result = await runProgram('dpkg', ['-x', join(work, archive), root], { timeoutMs: 60_000 })
  if (!result.ok) {
    throw new VhostkitError('guest-unavailable', {
      sentence: `${archive} cannot be unpacked: ${result.failure}.`,
    })
  }
  const [version = ''] = await listFolder(join(root, 'lib/modules'))
  await makeFolder(join(work, 'kernel/modules'))
  await cp(join(root, `boot/vmlinuz-${version}`), join(work, 'kernel/vmlinuz'))
  for (const path of modulePaths) {
    await cp(join(root, 'lib/modules', version, 'kernel', path), join(work, 'kernel/modules', fileName(path)))
  }
}
