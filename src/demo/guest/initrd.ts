import { createHash } from 'node:crypto'
import { chmod, cp, mkdtemp, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { VhostkitError } from '../../core/errors.js'
import { findProgram } from '../../host/versions.js'
import { exists, listFolder, makeFolder, removeFolder } from '../../world/files.js'
import { type ProgramResult, runProgram } from '../../world/run-program.js'

export interface InitrdSources {
  /** The folder of native/guest: init and probe.c. */
  guest: string
  modules: string
}

/** The initramfs of the guest: busybox, the virtio modules, our init and probe. Made again when one changes. */
export async function makeInitrd(
  cache: string,
  sources: InitrdSources,
  say: (line: string) => void,
): Promise<string> {
  const busybox = await findProgram('busybox')
  if (busybox === null) throw guestUnavailable('busybox is missing')
  const done = join(cache, `initrd-${await hashFiles([...(await listSources(sources)), busybox])}.gz`)
  if (await exists(done)) return done
  say('building the guest initramfs')
  await makeFolder(cache)
  const work = await mkdtemp(join(cache, 'work-'))
  try {
    await fillRoot(join(work, 'root'), sources, busybox)
    await writeFile(join(work, 'initrd.gz'), await packInitrd(join(work, 'root')))
    await rename(join(work, 'initrd.gz'), done)
    return done
  } finally {
    await removeFolder(work)
  }
}

async function fillRoot(root: string, { guest, modules }: InitrdSources, busybox: string): Promise<void> {
  for (const folder of ['bin', 'dev', 'proc', 'sys']) await makeFolder(join(root, folder))
  await cp(busybox, join(root, 'bin/busybox'), { dereference: true })
  await cp(modules, join(root, 'modules'), { recursive: true })
  await cp(join(guest, 'init'), join(root, 'init'))
  await chmod(join(root, 'init'), 0o755)
  const flags = ['-std=c11', '-D_GNU_SOURCE', '-O2', '-Wall', '-Wextra', '-Werror', '-static', '-s']
  const output = join(root, 'bin/probe')
  const built = await runProgram('gcc', [...flags, '-o', output, join(guest, 'probe.c')], {
    timeoutMs: 30_000,
  })
  requireOk(built)
  const shell = await runProgram('ln', ['-s', 'busybox', join(root, 'bin/sh')])
  requireOk(shell)
}

/** cpio's newc format is what the kernel unpacks; the names come on stdin. */
export async function packInitrd(root: string): Promise<Uint8Array> {
  const archive = `${root}.cpio`
  const names = ['.', ...(await listTree(root, ''))].join('\0')
  const args = ['--null', '--create', '--quiet', '--format=newc', '--owner=0:0', `--file=${archive}`]
  requireOk(await runProgram('cpio', args, { cwd: root, input: names, timeoutMs: 30_000 }))
  return gzipSync(await readFile(archive), { level: 6 })
}

async function listTree(root: string, folder: string): Promise<string[]> {
  const names: string[] = []
  for (const name of await listFolder(join(root, folder))) {
    const path = join(folder, name)
    names.push(path, ...(await listTree(root, path)))
  }
  return names
}

async function listSources({ guest, modules }: InitrdSources): Promise<string[]> {
  const names = await listFolder(modules)
  return [join(guest, 'init'), join(guest, 'probe.c'), ...names.map((name) => join(modules, name))]
}

async function hashFiles(paths: string[]): Promise<string> {
  const hash = createHash('sha256')
  for (const path of paths) hash.update(await readFile(path))
  return hash.digest('hex').slice(0, 16)
}

function requireOk(result: ProgramResult): void {
  if (!result.ok) throw guestUnavailable(result.failure)
}

function guestUnavailable(why: string): VhostkitError {
  return new VhostkitError('guest-unavailable', { sentence: `The test guest cannot be made: ${why}.` })
}
