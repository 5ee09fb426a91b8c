import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
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
  virsh(...args: string[]): { status: number | null; stdout: string; stderr: string }
  /** Ends libvirtd and starts it again; `meanwhile` runs while it is away. */
  restart(meanwhile?: () => Promise<void>): Promise<void>
  stop(): Promise<void>
}

/** Tests with a libvirtd need root and both daemons, and say loudly when they cannot run. */
export function requireLibvirt(context: Mocha.Context): void {
  requireRoot(context)
  const missing = Object.values(programs).filter((path) => !existsSync(path))
  if (missing.length === 0) return
  process.stderr.write(`\n*** SKIPPED, because this host lacks ${missing.join(', ')} (sh bin/setup)\n`)
  context.skip()
}

/**
 * Starts virtlogd and libvirtd by hand, as where there is no systemd, in a mount namespace below `base`, and in the
 * network namespace of that name if one is given.
 */
export async function startLibvirtd(base: string, space?: string): Promise<Libvirtd> {
  const home = join(base, 'libvirt')
  const hooks = join(home, 'etc/hooks')
  mkdirSync(join(home, 'sockets'), { recursive: true })
  for (const folder of Object.values(places)) mkdirSync(join(home, folder))
  mkdirSync(hooks)
  copyFileSync('/etc/libvirt/qemu.conf', join(home, 'etc/qemu.conf'))
  writeFileSync(join(home, 'etc/libvirtd.conf'), configuration(home))
  // QEMU runs as another user, who must be able to pass.
  for (const folder of [base, home, join(home, 'lib')]) chmodSync(folder, 0o755)

  const holder = await holdNamespace(home, space)
  const children: { virtlogd?: ChildProcess; libvirtd?: ChildProcess } = {}
  const start = (program: string, args: string[]) =>
    spawn('nsenter', ['--target', `${holder.pid}`, '--mount', '--net', '--', program, ...args], {
      stdio: 'ignore',
    })
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
    virsh,
    restart: async (meanwhile) => {
      await end(children.libvirtd)
      await meanwhile?.()
      await startDaemon()
    },
    stop,
  }
}

function configuration(home: string): string {
  return [
    `unix_sock_dir = "${home}/sockets"`,
    'auth_unix_rw = "none"',
    'auth_unix_ro = "none"',
    `log_outputs = "3:file:${home}/libvirtd.log"`,
    '',
  ].join('\n')
}

/** A process that does nothing but hold the namespaces; it ends with us, at the latest. */
async function holdNamespace(home: string, space?: string): Promise<ChildProcess> {
  const mounts = Object.entries(places).map(([path, folder]) => `mount --bind "$1/${folder}" ${path}`)
  const needed = Object.keys(places).map((path) => `mkdir -p ${path}`)
  const script = [...needed, ...mounts, 'echo ready', 'exec cat'].join('\n')
  const [program = '', ...args] = [
    ...(space === undefined ? [] : ['nsenter', `--net=/run/netns/${space}`, '--']),
    ...['unshare', '--mount', '--propagation', 'private', 'sh', '-e', '-c', script, 'sh', home],
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
