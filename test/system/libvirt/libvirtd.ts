import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  appendFileSync,
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  writeFileSync,
} from 'node:fs'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { requireRoot } from '../host-state.js'

const programs = { libvirtd: '/usr/sbin/libvirtd', virtlogd: '/usr/sbin/virtlogd' }

/** Where a real libvirt keeps what it has; each is a folder of ours in the namespace of the test. */
const places = {
  '/etc/libvirt': 'etc',
  '/run/libvirt': 'run-libvirt',
  '/var/lib/libvirt': 'lib',
  '/var/log/libvirt': 'log',
  '/var/cache/libvirt': 'cache',
}

/** A real libvirtd that nobody else on the host meets: its folders and sockets are its own. */
export interface Libvirtd {
  uri: string
  /** The folder of its hooks, as seen from outside. */
  hooks: string
  pid(): number
  /** The words that run a program in its namespaces, from out here. */
  command(...words: string[]): string[]
  virsh(...args: string[]): { status: number | null; stdout: string; stderr: string }
  /** Ends libvirtd and starts it again; `meanwhile` runs while it is away. */
  restart(meanwhile?: () => Promise<void>): Promise<void>
  stop(): Promise<void>
}

export interface LibvirtdWish {
  /** The network namespace that it is in. */
  space?: string
  /** More paths that are its own: each a folder below its home, or a path of this host. */
  places?: Record<string, string>
  /** More lines of its configuration, and of its QEMU driver's. */
  settings?: { libvirtd: string[]; qemu: string[] }
}

/** Tests with a libvirtd need root and both daemons, and say loudly when they cannot run. */
export function requireLibvirt(context: Mocha.Context): void {
  requireRoot(context)
  const missing = Object.values(programs).filter((path) => !existsSync(path))
  if (missing.length === 0) return
  process.stderr.write(`\n*** SKIPPED, because this host lacks ${missing.join(', ')} (sh bin/setup)\n`)
  context.skip()
}

/** Starts virtlogd and libvirtd by hand, as where there is no systemd, in a mount namespace below `base`. */
export async function startLibvirtd(base: string, wish: LibvirtdWish = {}): Promise<Libvirtd> {
  const { space, settings = { libvirtd: [], qemu: [] } } = wish
  const home = join(base, 'libvirt')
  const hooks = join(home, 'etc/hooks')
  mkdirSync(join(home, 'sockets'), { recursive: true })
  const own = { ...places, ...wish.places }
  for (const folder of Object.values(own))
    if (!folder.startsWith('/')) mkdirSync(join(home, folder), { recursive: true })
  mkdirSync(hooks, { recursive: true })
  copyFileSync('/etc/libvirt/qemu.conf', join(home, 'etc/qemu.conf'))
  appendFileSync(join(home, 'etc/qemu.conf'), `${settings.qemu.join('\n')}\n`)
  writeFileSync(join(home, 'etc/libvirtd.conf'), configuration(home, settings.libvirtd))
  // QEMU runs as another user, who must be able to pass.
  for (const folder of [base, home, join(home, 'lib')]) chmodSync(folder, 0o755)

  const holder = await holdNamespace(home, own, space)
  const children: { virtlogd?: ChildProcess; libvirtd?: ChildProcess } = {}
  const command = (...words: string[]) => [
    'nsenter',
    '--target',
    `${holder.pid}`,
    '--mount',
    '--net',
    '--',
    ...words,
  ]
  const start = (program: string, args: string[]) => {
    const [enter = '', ...words] = command(program, ...args)
    return spawn(enter, words, { stdio: 'ignore' })
  }
  const uri = `qemu+unix:///system?socket=${home}/sockets/libvirt-sock`
  const virsh = (...args: string[]) => runVirsh(uri, args)
  const startDaemon = async () => {
    children.libvirtd = start(programs.libvirtd, [
      '-f',
      `${home}/etc/libvirtd.conf`,
      '-p',
      `${home}/libvirtd.pid`,
    ])
    await until('libvirtd to answer', 30_000, () => virsh('version').status === 0)
  }
  const stop = async () => {
    for (const uuid of virsh('list', '--uuid')
      .stdout.split('\n')
      .filter((line) => line !== ''))
      virsh('destroy', uuid)
    await end(children.libvirtd)
    await end(children.virtlogd)
    holder.stdin?.end()
    await end(holder)
  }
  try {
    children.virtlogd = start(programs.virtlogd, ['-p', `${home}/virtlogd.pid`])
    await until('virtlogd to listen', 10_000, () => existsSync(join(home, 'run-libvirt/virtlogd-sock')))
    await startDaemon()
  } catch (error) {
    await stop()
    throw error
  }
  return {
    uri,
    hooks,
    pid: () => Number(readFileSync(`${home}/libvirtd.pid`, 'utf8')),
    command,
    virsh,
    restart: async (meanwhile) => {
      await end(children.libvirtd)
      await meanwhile?.()
      await startDaemon()
    },
    stop,
  }
}

function configuration(home: string, more: string[]): string {
  return [
    `unix_sock_dir = "${home}/sockets"`,
    'auth_unix_rw = "none"',
    'auth_unix_ro = "none"',
    `log_outputs = "3:file:${home}/libvirtd.log"`,
    ...more,
    '',
  ].join('\n')
}

/** A process that does nothing but hold the namespaces; it ends with us, at the latest. */
async function holdNamespace(
  home: string,
  own: Record<string, string>,
  space?: string,
): Promise<ChildProcess> {
  const mounts = Object.entries(own).map(([path, from]) => `mount --bind "${resolve(home, from)}" ${path}`)
  const needed = Object.keys(own).map((path) => `[ -e ${path} ] || mkdir -p ${path}`)
  const script = [...needed, ...mounts, 'echo ready', 'exec cat'].join('\n')
  const [program = '', ...args] = [
    ...(space === undefined ? [] : ['nsenter', `--net=/run/netns/${space}`, '--']),
    ...['unshare', '--mount', '--propagation', 'private', 'sh', '-e', '-c', script],
  ]
  const holder = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] })
  const ended = once(holder, 'exit').then(() => {
    throw new Error('the mount namespace could not be made')
  })
  ended.catch(() => undefined)
  await Promise.race([once(holder.stdout as NonNullable<typeof holder.stdout>, 'data'), ended])
  return holder
}

function runVirsh(uri: string, args: string[]): { status: number | null; stdout: string; stderr: string } {
  const env = { ...process.env, LC_ALL: 'C' }
  const { status, stdout, stderr } = spawnSync('virsh', ['-q', '-c', uri, ...args], {
    encoding: 'utf8',
    timeout: 30_000,
    env,
  })
  return { status, stdout, stderr }
}

async function end(child: ChildProcess | undefined): Promise<void> {
  if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  child.kill('SIGTERM')
  const late = setTimeout(() => child.kill('SIGKILL'), 5_000)
  await ended
  clearTimeout(late)
}

export async function until(
  what: string,
  limitMs: number,
  probe: () => boolean | Promise<boolean>,
): Promise<void> {
  const limit = performance.now() + limitMs
  while (!(await probe())) {
    if (performance.now() > limit) throw new Error(`waited ${limitMs / 1000} s for ${what}`)
    await sleep(100)
  }
}

/** What libvirt's own schema has against a definition; empty when nothing. */
export function validateDomain(path: string): string {
  try {
    execFileSync('virt-xml-validate', [path, 'domain'], { stdio: 'pipe' })
    return ''
  } catch (error) {
    const { stdout, stderr } = error as { stdout?: Buffer; stderr?: Buffer }
    return `${error}\n${stdout ?? ''}${stderr ?? ''}`
  }
}
