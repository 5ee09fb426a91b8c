import assert from 'node:assert/strict'
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { guestCmdline } from '../../../src/demo/guest/cmdline.js'
import { assertFollowed, bash } from '../../docs/follow-page.js'
import { type CliResult, startCli } from '../run-cli.js'
import { type Libvirtd, startLibvirtd, until } from './libvirtd.js'

/** What both hosts of a test share: kernel, initrd and keys. Below `base`, as everything else. */
export interface PageWorld {
  base: string
  /** Holds vmlinuz and initrd.gz, and is /srv on each host. */
  srv: string
  /** The home of root, with keys and settings of ssh. */
  home: string
}

/** A host as a page means it: its own network, libvirtd, run and state folder; `virsh`, `vhostkit` and `ssh` find them. */
export class PageHost {
  readonly #world: PageWorld
  readonly #folder: string
  readonly #libvirtd: Libvirtd

  private constructor(world: PageWorld, folder: string, libvirtd: Libvirtd) {
    this.#world = world
    this.#folder = folder
    this.#libvirtd = libvirtd
  }

  /** `space`: its network namespace, which has `address` there. */
  static async start(world: PageWorld, space: string, address: string, uuid: string): Promise<PageHost> {
    const { base, srv, home } = world
    const folder = join(base, space)
    const passwd = join(base, `${space}.passwd`)
    mkdirSync(folder)
    chmodSync(folder, 0o755)
    writeFileSync(
      passwd,
      readFileSync('/etc/passwd', 'utf8').replace(/^(root:(?:[^:]*:){4})[^:]*/m, `$1${home}`),
    )
    // As on a host where libvirtd has met a hook before.
    const hooks = join(folder, 'libvirt/etc/hooks/qemu.d')
    mkdirSync(hooks, { recursive: true })
    writeFileSync(join(hooks, 'of-somebody'), '#!/bin/sh\nexit 0\n', { mode: 0o755 })
    const libvirtd = await startLibvirtd(folder, {
      space,
      places: {
        [`${base}/run`]: 'run-vhostkit',
        [`${base}/state`]: 'state-vhostkit',
        [`${base}/guests`]: 'guests',
        '/srv': srv,
        '/etc/passwd': passwd,
      },
      settings: { libvirtd: [`host_uuid = "${uuid}"`], qemu: [`migration_host = "${address}"`] },
    })
    symlinkSync(
      join(folder, 'libvirt/sockets/libvirt-sock'),
      join(folder, 'libvirt/run-libvirt/libvirt-sock'),
    )
    return new PageHost(world, folder, libvirtd)
  }

  /** Runs lines of a page in its folder, for two minutes at most; /sys is that of its network. */
  follow(script: string): Promise<CliResult> {
    return startCli(
      ['120', ...bash, `mount -t sysfs sysfs /sys\ncd ${this.#world.base}/pages\n${script}`],
      this.env,
      this.command('timeout'),
    ).result
  }

  /** What somebody did before the page begins; it must succeed. */
  async prepare(script: string): Promise<void> {
    assertFollowed('before the page', await this.follow(script))
  }

  command(...words: string[]): string[] {
    return this.#libvirtd.command('unshare', '--mount', ...words)
  }

  get env(): Record<string, string> {
    const { base, home } = this.#world
    return {
      VHOSTKIT_RUN_DIR: `${base}/run`,
      VHOSTKIT_STATE_DIR: `${base}/state`,
      HOME: home,
      PATH: `${base}/bin:${process.env.PATH}`,
      LC_ALL: 'C',
    }
  }

  /** What a person waits for between two blocks: each machine that was started is up. */
  async settle(): Promise<void> {
    const home = join(this.#folder, 'libvirt')
    const folders = ['guests', 'run-vhostkit/machines'].flatMap((parent) =>
      (existsSync(join(home, parent)) ? readdirSync(join(home, parent)) : []).map((name) =>
        join(home, parent, name),
      ),
    )
    const logs = folders.map((folder) => join(folder, 'console.log')).filter(existsSync)
    await until('the machines to be up', 90_000, () =>
      logs.every((log) => /^@ready/m.test(readFileSync(log, 'latin1'))),
    )
  }

  /** Makes the folder of the console of a domain. */
  makeFolder(name: string): void {
    const folder = join(this.#folder, 'libvirt/guests', name)
    mkdirSync(folder, { recursive: true })
    const user = /^libvirt-qemu:[^:]*:(\d+):(\d+)/m.exec(readFileSync('/etc/passwd', 'utf8'))
    chownSync(folder, Number(user?.[1] ?? 0), Number(user?.[2] ?? 0))
  }

  /** A domain of somebody, with a card of the kernel. */
  defineDomain(name: string): void {
    const { base } = this.#world
    this.makeFolder(name)
    const path = join(this.#folder, `${name}.xml`)
    writeFileSync(
      path,
      `<domain type='qemu'>
  <name>${name}</name>
  <memory unit='MiB'>192</memory>
  <os>
    <type arch='x86_64' machine='q35'>hvm</type>
    <kernel>/srv/vmlinuz</kernel><initrd>/srv/initrd.gz</initrd>
    <cmdline>${guestCmdline} vhostkit.ip=192.168.77.31/24</cmdline>
  </os>
  <features><acpi/></features>
  <cpu mode='maximum'/>
  <devices>
    <emulator>/usr/bin/qemu-system-x86_64</emulator>
    <interface type='user'><mac address='52:54:00:aa:bb:cc'/><model type='virtio'/></interface>
    <serial type='unix'>
      <source mode='bind' path='${base}/guests/${name}/console.sock'/>
      <log file='${base}/guests/${name}/console.log' append='off'/>
    </serial>
    <channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel>
    <memballoon model='none'/>
  </devices>
</domain>
`,
    )
    const { status, stderr } = this.#libvirtd.virsh('define', path)
    assert.equal(status, 0, stderr)
  }

  /** No machine is there, and no switch runs. */
  async clear(): Promise<void> {
    await this.follow(
      [
        'set +e',
        'for name in $(vhostkit completion deployments); do vhostkit destroy "$name" --grace 0 --disks; done',
        'for name in $(virsh list --all --name); do virsh destroy "$name"; virsh undefine "$name"; done',
        'vhostkit switch stop',
      ].join('\n'),
    )
  }

  async end(): Promise<void> {
    await this.clear()
    await this.#libvirtd.stop()
  }
}
