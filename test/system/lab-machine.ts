import { spawn } from 'node:child_process'
import { chmod, cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { guestCmdline } from '../../src/demo/guest/cmdline.js'
import { packInitrd } from '../../src/demo/guest/initrd.js'
import { makeKernel } from '../../src/demo/guest/kernel.js'
import { findProgram } from '../../src/host/versions.js'
import { runProgram } from '../../src/world/run-program.js'
import { testFolderPrefix } from './host-state.js'

/** A machine that stands for a host which this one is not: what is in its initramfs, and its hardware. */
export interface LabMachine {
  /** The first process; it runs the lab and switches off. */
  init: string
  /** Programs by their place in the machine; the libraries they want come along. */
  programs: Record<string, string>
  /** Other files by their place: what is in them. */
  files: Record<string, string | Uint8Array>
  /** Arguments of QEMU for CPUs and memory. */
  hardware: string[]
}

/** A machine without KVM beside other tests: 12 s to its shell, and then some 15 s of work. */
const limitMs = 150_000

/**
 * Boots the machine. Its steps are the lines of JSON that the lab printed before the last one, {"step": "end"}, and `output` is all that
 * the console said; throws when the lab does not come to its end.
 */
export async function runLab<Step>(machine: LabMachine): Promise<{ steps: Step[]; output: string }> {
  const folder = await mkdtemp(join(tmpdir(), testFolderPrefix.slice(1)))
  try {
    const { kernel } = await makeKernel(
      join(process.cwd(), '.cache/guest'),
      () => undefined,
      new AbortController().signal,
    )
    const initrd = join(folder, 'initrd.gz')
    await writeFile(initrd, await makeInitrd(join(folder, 'root'), machine))
    const output = await boot(kernel, initrd, machine.hardware)
    return { steps: readSteps<Step>(output), output }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function makeInitrd(root: string, { init, programs, files }: LabMachine): Promise<Uint8Array> {
  const busybox = await findProgram('busybox')
  if (busybox === null) throw new Error('busybox is missing: run bin/setup')
  const libraries = await Promise.all(Object.values(programs).map(listLibraries))
  const copies: [string, string][] = [
    ['bin/busybox', busybox],
    ['bin/sh', busybox],
    ...Object.entries(programs),
    ...[...new Set(libraries.flat())].map((path): [string, string] => [path, path]),
    ['init', init],
  ]
  for (const [to, from] of copies) {
    await mkdir(dirname(join(root, to)), { recursive: true })
    await cp(from, join(root, to), { dereference: true })
  }
  for (const [to, text] of Object.entries(files)) {
    await mkdir(dirname(join(root, to)), { recursive: true })
    await writeFile(join(root, to), text)
  }
  await chmod(join(root, 'init'), 0o755)
  return packInitrd(root)
}

/** What the dynamic linker wants for a program, and itself. */
async function listLibraries(program: string): Promise<string[]> {
  const { ok, stdout, failure } = await runProgram('ldd', [program])
  if (!ok) throw new Error(`ldd ${program}: ${failure}`)
  return [...stdout.matchAll(/(\/\S+) \(0x/g)].map(([, path]) => path ?? '')
}

/** All that the machine wrote to its console until it switched itself off. */
async function boot(kernel: string, initrd: string, hardware: string[]): Promise<string> {
  const child = spawn(
    'qemu-system-x86_64',
    [
      ...['-M', 'pc', '-accel', 'tcg', '-cpu', 'max', ...hardware],
      ...['-nodefaults', '-no-user-config', '-display', 'none', '-no-reboot', '-serial', 'stdio'],
      ...['-kernel', kernel, '-initrd', initrd, '-append', guestCmdline],
    ],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  )
  let output = ''
  child.stdout.on('data', (chunk) => {
    output += chunk
  })
  child.stderr.on('data', (chunk) => {
    output += chunk
  })
  const timer = setTimeout(() => child.kill('SIGKILL'), limitMs)
  const end = await new Promise<string>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code, signal) =>
      resolve(signal === null ? `exit code ${code}` : `ended after ${limitMs} ms`),
    )
  })
  clearTimeout(timer)
  return `${output}\n${end}`
}

/** The lab's lines; its last one says that it came to its end. */
function readSteps<Step>(output: string): Step[] {
  const lines = output.split(/\r?\n/).filter((line) => line.startsWith('{'))
  const steps = lines.map((line) => JSON.parse(line) as Step & { step: string; failed?: string })
  if (steps.at(-1)?.step !== 'end') {
    throw new Error(`the lab did not come to its end; the last it said:\n${output.slice(-2_000)}`)
  }
  return steps.slice(0, -1)
}
