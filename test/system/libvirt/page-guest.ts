import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { GuestImage } from '../../../src/demo/guest/guest.js'
import { packInitrd } from '../../../src/demo/guest/initrd.js'
import { loginPrograms } from '../guest-login.js'
import { addPrograms } from '../guest-programs.js'
import { testFolderPrefix } from '../host-state.js'

/** What the guest does beyond the demo's, before it says that it is ready: it serves ssh, and has an agent. */
const services = [
  'mkdir -p /run /etc/dropbear /dev/pts',
  'mount -t devpts devpts /dev/pts',
  '/usr/bin/dropbearkey -t ed25519 -f /etc/dropbear/host_key >/dev/null 2>&1',
  '/usr/sbin/dropbear -r /etc/dropbear/host_key </dev/null >/dev/null 2>&1',
  'port=$(grep -lx org.qemu.guest_agent.0 /sys/class/virtio-ports/*/name)',
  '[ -z "$port" ] || /usr/sbin/qemu-ga -d -p /dev/$(basename $(dirname $port)) -t /run -f /run/qemu-ga.pid -l /qemu-ga.log',
].join('\n')

/**
 * Writes an initrd of a machine of somebody: it asks by DHCP unless it is told an address, root may log in with `key`,
 * and it turns itself off when its host asks it to.
 */
export async function makePageGuest(image: GuestImage, to: string, key: string): Promise<void> {
  const work = mkdtempSync(join(tmpdir(), testFolderPrefix.slice(1)))
  const files = {
    init: readFileSync('native/guest/init', 'utf8')
      .replace('address=$(parameter ip)', (line) => `${line}\n[ -n "$address" ] || address=dhcp`)
      .replace('echo "@ready', (line) => `${services}\n${line}`),
    'etc/passwd': 'root:x:0:0::/root:/bin/sh\n',
    'root/.ssh/authorized_keys': key,
    'sbin/shutdown': '#!/bin/sh\npoweroff -f\n',
  }
  try {
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(work, 'root', path)), { recursive: true })
      writeFileSync(join(work, 'root', path), text, { mode: /init|sbin/.test(path) ? 0o755 : 0o600 })
    }
    await addPrograms(image.initrd, to, loginPrograms)
    writeFileSync(to, Buffer.concat([readFileSync(to), await packInitrd(join(work, 'root'))]))
  } finally {
    rmSync(work, { recursive: true })
  }
}
