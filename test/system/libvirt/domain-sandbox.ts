import { chmodSync, copyFileSync, existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { guestCmdline } from '../../../src/demo/guest/cmdline.js'
import { makeGuest } from '../../../src/demo/guest/guest.js'
import { GuestSession } from '../../../src/demo/guest/guest-session.js'
import { addPrograms } from '../guest-programs.js'
import { makeSandbox, type Sandbox } from '../sandbox.js'
import { type Libvirtd, startLibvirtd, until } from './libvirtd.js'

/** A libvirtd of a test's own, and a spec of two machines for it. */
export interface DomainSandbox extends Sandbox {
  libvirtd: Libvirtd
  /** Address of each machine of the spec. */
  addresses: Record<string, string>
  /** Kernel and initrd, where QEMU's user can read them. */
  guest: { kernel: string; initrd: string }
  /** Connects to the console of a machine that was just started, and waits until its guest is ready. */
  boot(machine: string): Promise<GuestSession>
  end(): Promise<void>
}

export interface DomainSandboxWish {
  /** Whether our hooks are installed and libvirtd has seen them. */
  hooks?: boolean
  /** The network namespace that libvirtd is in, and the command line tool there. */
  inside?: { space: string; program: string[] }
  /** Programs of the host that the guests are to have. */
  programs?: string[]
}

/** No hugepages: tests that want them ask for them in a spec of their own. */
export async function makeDomainSandbox(wish: DomainSandboxWish = {}): Promise<DomainSandbox> {
  const { hooks = false, inside, programs = [] } = wish
  const sandbox = await makeSandbox('off', inside?.program)
  const { base } = sandbox
  chmodSync(base, 0o755)
  const signal = new AbortController().signal
  const image = await makeGuest(process.cwd(), () => undefined, signal)
  const guest = { kernel: join(base, 'vmlinuz'), initrd: join(base, 'initrd.gz') }
  copyFileSync(image.kernel, guest.kernel)
  await addPrograms(image.initrd, guest.initrd, programs)
  for (const path of Object.values(guest)) chmodSync(path, 0o644)
  const libvirtd = await startLibvirtd(base, inside)
  const addresses = { one: '192.168.78.11', two: '192.168.78.12' }
  const spec = sandbox.writeSpec(
    [
      'version: 1',
      'name: sandbox',
      'driver: libvirt',
      `connect: ${libvirtd.uri}`,
      'hugepages: off',
      'networks: [{ name: lan, host: 192.168.78.1/24 }]',
      'machines:',
      ...Object.entries(addresses).map(([name, address]) => {
        const cmdline = `${guestCmdline} vhostkit.ip=${address}/24`
        const boot = `{ kernel: ${guest.kernel}, initrd: ${guest.initrd}, cmdline: ${cmdline} }`
        return `  - { name: ${name}, memory: 128M, boot: ${boot}, interfaces: [lan] }`
      }),
      '',
    ].join('\n'),
  )
  if (hooks) {
    await sandbox.json('hooks', 'install', '--hooks-dir', libvirtd.hooks)
    await libvirtd.restart()
  }
  return {
    ...sandbox,
    libvirtd,
    addresses,
    guest,
    spec,
    boot: async (machine) => {
      const folder = join(sandbox.run, 'machines', `sandbox.${machine}`)
      await until(`the guest of ${machine} to be ready`, 60_000, () =>
        /^@ready/m.test(
          existsSync(`${folder}/console.log`) ? readFileSync(`${folder}/console.log`, 'latin1') : '',
        ),
      )
      const session = await GuestSession.connect(machine, `${folder}/console.sock`, signal)
      await session.answers()
      return session
    },
    end: async () => {
      await sandbox.json('destroy', 'sandbox', '--grace', '0').catch(() => undefined)
      await libvirtd.stop()
      sandbox.remove()
    },
  }
}
