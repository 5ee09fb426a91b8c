import { chmod, copyFile, link, mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { VhostkitError } from '../../core/errors.js'
import type { FileArtifact, MachineArtifact } from '../../core/render/artifacts.js'
import { isStoredFile } from '../../core/spec/names.js'
import {
  addMode,
  changeOwner,
  listFolder,
  makeFolder,
  removeEmptyFolder,
  removeFile,
  removeFolder,
  removeTornWrites,
  writeTextAtomic,
} from '../../world/files.js'
import { runProgram } from '../../world/run-program.js'

/** A full disk or a slow one; an overlay itself is made in milliseconds. */
const makeLimitMs = 60_000

/** Others may pass the folders, but not see what is in them. */
const passBits = 0o011

/**
 * Makes a file of a machine, whole or not at all, and never in place of one that is there.
 * With `uid` QEMU runs as another user: the file is his, in folders that he may pass.
 */
export async function makeMachineFile(file: FileArtifact, uid?: number, signal?: AbortSignal): Promise<void> {
  const folder = dirname(file.path)
  await makeStore(folder, uid)
  await removeTornWrites(making(folder))
  const temporary = join(folder, `.${basename(making(folder))}.${process.pid}.tmp`)
  try {
    await makers[file.kind](file as never, temporary, signal)
    // What a guest keeps, and the passwords in a seed, are for nobody else's eyes.
    await (uid === undefined ? chmod(temporary, 0o600) : changeOwner(temporary, uid, 0o600))
    await link(temporary, file.path)
  } catch (cause) {
    if (cause instanceof VhostkitError) throw cause
    throw failed(file, (cause as Error).message, cause)
  } finally {
    await removeFile(temporary)
  }
}

/** Removes a file that we made; anything else is left alone. Its folder goes with the last one. */
export async function removeMachineFile(path: string): Promise<void> {
  if (!isStoredFile(path)) throw new VhostkitError('disk-failed', { sentence: `${path} is no file of ours.` })
  await removeFile(path)
  await removeTornWrites(making(dirname(path)))
  await removeEmptyFolder(dirname(path))
  await removeEmptyFolder(dirname(dirname(path)))
}

/** What a file is called while it is made: ".making.PID.tmp". */
function making(folder: string): string {
  return join(folder, 'making')
}

/** The files that are there in the folders where those of these machines are. */
export async function readMachineFiles(machines: MachineArtifact[]): Promise<string[]> {
  const folders = new Set(machines.flatMap(({ files = [] }) => files.map(({ path }) => dirname(path))))
  return (await Promise.all([...folders].sort().map(readStore))).flat()
}

/** The files of one folder below `disks`. */
export async function readStore(folder: string): Promise<string[]> {
  return (await listFolder(folder)).map((name) => join(folder, name)).filter(isStoredFile)
}

async function makeStore(folder: string, uid: number | undefined): Promise<void> {
  const disks = dirname(folder)
  await makeFolder(folder, uid === undefined ? 0o700 : 0o711)
  if (uid === undefined) return
  for (const path of [dirname(disks), disks, folder]) await addMode(path, passBits)
}

type Maker<Kind> = (
  file: Extract<FileArtifact, { kind: Kind }>,
  path: string,
  signal?: AbortSignal,
) => Promise<void>

const makers: { [Kind in FileArtifact['kind']]: Maker<Kind> } = {
  disk: makeDisk,
  seed: makeSeed,
  variables: ({ template }, path) => copyFile(template, path),
}

async function makeDisk(
  file: Extract<FileArtifact, { kind: 'disk' }>,
  path: string,
  signal?: AbortSignal,
): Promise<void> {
  const { backing, bytes } = file
  const over = backing === null ? [] : ['-b', backing.path, '-F', backing.format]
  const size = bytes === null ? [] : [String(bytes)]
  await make(file, 'qemu-img', ['create', '-q', '-f', 'qcow2', ...over, path, ...size], signal)
}

async function makeSeed(
  file: Extract<FileArtifact, { kind: 'seed' }>,
  path: string,
  signal?: AbortSignal,
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'vhostkit-seed-'))
  try {
    for (const { name, text } of file.files) await writeTextAtomic(join(folder, name), text)
    const options = ['-as', 'genisoimage', '-quiet', '-volid', 'cidata', '-joliet', '-rational-rock']
    await make(file, 'xorriso', [...options, '-output', path, folder], signal)
  } finally {
    await removeFolder(folder)
  }
}

async function make(
  file: FileArtifact,
  program: string,
  args: string[],
  signal?: AbortSignal,
): Promise<void> {
  const options = {
    timeoutMs: makeLimitMs,
    ...(signal === undefined ? {} : { signal }),
  }
  const result = await runProgram(program, args, options)
  signal?.throwIfAborted()
  if (!result.ok) throw failed(file, result.failure, result.stderr)
}

function failed({ path }: FileArtifact, why: string, cause: unknown): VhostkitError {
  return new VhostkitError('disk-failed', { sentence: `${path} could not be made: ${why}.`, cause })
}
