import type { GuestSession } from '../../src/demo/guest/guest-session.js'

/** Programs of the host that a guest needs for what follows. */
export const loginPrograms = ['/usr/sbin/dropbear', '/usr/bin/dropbearkey', '/usr/sbin/qemu-ga']

const hostKey = '/etc/dropbear/host_key'
const makeHostKey = `rm -f ${hostKey}; /usr/bin/dropbearkey -t ed25519 -f ${hostKey}`
const serve = `/usr/sbin/dropbear -r ${hostKey} -P /run/dropbear.pid </dev/null >/dev/null 2>&1`

/** What cloud-init would do in a guest that had it: the user of the seed and the keys he may come with. */
const readSeed = [
  'mkdir -p /seed /run /etc/dropbear /dev/pts',
  'mount -t devpts devpts /dev/pts',
  'mount -t iso9660 -o ro /dev/vda /seed',
  `user=$(sed -n 's/^ *"name": "\\(.*\\)",$/\\1/p' /seed/user-data)`,
  'mkdir -p /home/$user/.ssh',
  `sed -n 's/^ *"\\(ssh-.*\\)"$/\\1/p' /seed/user-data >/home/$user/.ssh/authorized_keys`,
  'echo "$user:x:1000:1000::/home/$user:/bin/sh" >/etc/passwd',
  'chown -R 1000:1000 /home/$user',
  'chmod -R go= /home/$user',
].join('; ')

/** Has a guest take its user from its seed and serve ssh. */
export async function serveLogins(guest: GuestSession): Promise<void> {
  for (const command of [readSeed, makeHostKey, serve]) await guest.run(command)
}

/** Has it serve ssh with another host key. */
export async function changeHostKey(guest: GuestSession): Promise<void> {
  await guest.run(`kill $(cat /run/dropbear.pid); ${makeHostKey}; ${serve}`)
}

/** Starts the guest agent at its port, which has no name under /dev where there is no udev. */
export async function startAgent(guest: GuestSession): Promise<void> {
  const port = 'grep -lx org.qemu.guest_agent.0 /sys/class/virtio-ports/*/name'
  const path = `/dev/$(basename $(dirname $(${port})))`
  await guest.run(
    `mkdir -p /run; /usr/sbin/qemu-ga -d -p ${path} -t /run -f /run/qemu-ga.pid -l /qemu-ga.log`,
  )
}
