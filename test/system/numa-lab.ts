import { spawn } from 'node:child_process'
import { chmod, cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { guestCmdline } from '../../src/demo/guest/cmdline.js'
import { packInitrd } from '../../src/demo/guest/initrd.js'
import { makeKernel } from '../../src/demo/guest/kernel.js'
import { findProgram } from '../../src/host/versions.js'
import { runProgram } from '../../src/world/run-program.js'
import { testFolderPrefix } from './host-state.js'

/** Pages by node, as the kernel of the lab counts them. */
export interface LabPages {
  on: [number, number]
  absent: number
}

/** Where the ring state of a port is: by part (move_pages), and by whole mappings (numa_maps). */
export interface LabState {
  parts: Record<string, LabPages>
  maps: LabPages
}

/** One line of native/test/lab/numa_lab.c. */
export interface LabStep {
  step: string
  guest: LabPages
  memory: { node: number; remote: number; strays: number }
  rings: { index: number; worker: number }[]
  workers: { id: number; core: number; node: number }[]
  threads: { name: string; cpus: string }[]
  state: LabState
  neighbour: LabState
  passed: number
  events: { type: string; port?: string; node?: number; worker?: number; worker_node?: number }[]
}

/** A machine without KVM beside other tests: 12 s to its shell, and then some 15 s of work. */
const limitMs = 150_000

/** Boots a machine of two NUMA nodes that runs the lab, and returns what it printed; throws when it does not end well. */
export async function runNumaLab(build: string): Promise<LabStep[]> {
  const folder = await mkdtemp(join(tmpdir(), testFolderPrefix.slice(1)))
  try {
    const { kernel } = await makeKernel(
      join(process.cwd(), '.cache/guest'),
      () => undefined,
      new AbortController().signal,
    )
    const initrd = join(folder, 'initrd.gz')
    await writeFile(initrd, await makeLabInitrd(join(folder, 'root'), build))
    return readSteps(await boot(kernel, initrd))
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function makeLabInitrd(root: string, build: string): Promise<Uint8Array> {
  const busybox = await findProgram('busybox')
  if (busybox === null) throw new Error('busybox is missing: run bin/setup')
  const put = async (from: string, to: string) => {
    await mkdir(dirname(join(root, to)), { recursive: true })
    await cp(from, join(root, to), { dereference: true })
  }
  const programs = [join(build, 'vhostkit-switch'), join(build, 'test/numa-lab')]
  await put(busybox, 'bin/busybox')
  await put(busybox, 'bin/sh')
  for (const program of programs) await put(program, join('bin', basename(program)))
  const libraries = await Promise.all(programs.map(listLibraries))
  for (const library of new Set(libraries.flat())) await put(library, library)
  await put('native/test/lab/init', 'init')
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
async function boot(kernel: string, initrd: string): Promise<string> {
  const memory = [0, 1].flatMap((node) => [
    ...['-object', `memory-backend-ram,id=m${node},size=320M`],
    ...['-numa', `node,nodeid=${node},cpus=${2 * node}-${2 * node + 1},memdev=m${node}`],
  ])
  const child = spawn(
    'qemu-system-x86_64',
    [
      ...['-M', 'pc', '-accel', 'tcg', '-cpu', 'max', '-smp', '4,sockets=2,cores=2', '-m', '640M', ...memory],
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
export function readSteps(output: string): LabStep[] {
  const lines = output.split(/\r?\n/).filter((line) => line.startsWith('{'))
  const steps = lines.map((line) => JSON.parse(line) as LabStep & { failed?: string })
  if (steps.at(-1)?.step !== 'end') {
    throw new Error(`the lab did not come to its end; the last it said:\n${output.slice(-2_000)}`)
  }
  return steps.slice(0, -1)
}
