import { VhostkitError } from '../../core/errors.js'

interface KnownFailure {
  pattern: RegExp
  sentence: string
  hint: string
}

/** What QEMU says on stderr, and what it means. */
const knownFailures: KnownFailure[] = [
  {
    pattern: /failed to init vhost_net for queue|vhost-user: .*feature|failed to init vhost_user/i,
    sentence: 'The switch and QEMU did not agree on features or queues.',
    hint: 'See `vhostkit switch ports` for what was offered; fewer queues on the machine may help.',
  },
  {
    pattern: /you are asking more queues than supported/i,
    sentence: 'The machine asks for more queues than the switch offers for the port.',
    hint: 'Delete the port (`vhostkit destroy`) and apply again, so that it is added with as many queues.',
  },
  {
    pattern: /vhost-user requires frontend driver virtio-net/i,
    sentence: 'A vhost-user network card must be of the model virtio-net.',
    hint: 'Use a virtio-net device for the interface.',
  },
  {
    pattern: /does not support FD passing/i,
    sentence: 'The channel to the switch is not a UNIX socket.',
    hint: 'vhost-user works over UNIX socket paths only.',
  },
  {
    pattern: /cannot set up guest memory|unable to map backing store for guest RAM|Cannot allocate memory/i,
    sentence: 'The memory of the machine could not be had.',
    hint: 'See `vhostkit doctor` for free memory and hugepages per node.',
  },
  {
    pattern:
      /could not load kernel|could not load initrd|could not open kernel file|kernel too old|invalid kernel header/i,
    sentence: 'The kernel or initrd of the machine cannot be read.',
    hint: 'Check boot.kernel and boot.initrd in the spec.',
  },
  {
    pattern: /failed to set MSR|failed to initialize kvm|Could not access KVM kernel module/i,
    sentence: 'KVM is there but does not work on this host.',
    hint: 'Set accel: tcg in the spec; `vhostkit doctor` tells why.',
  },
  {
    // It says so on every start: only as its last word it is what went wrong.
    pattern: /QEMU waiting for connection on[^\n]*$/i,
    sentence: 'The switch did not connect to the socket of the machine.',
    hint: 'See last_error in `vhostkit switch ports`; the switch must be able to reach the socket.',
  },
]

/** Turns the end of QEMU's log into one error; `keptLog` is where the whole of it is to be found later, if anywhere. */
export function startFailure(machine: string, why: string, logTail: string, keptLog?: string): VhostkitError {
  const known = knownFailures.find(({ pattern }) => pattern.test(logTail))
  const said = logTail.split('\n').slice(-3).join(' | ')
  const words = said === '' ? '' : ` QEMU said: ${said.replace(/\.?$/, '.')}`
  return new VhostkitError('qemu-start-failed', {
    sentence: `Machine ${machine} did not start. ${known?.sentence ?? why}${words}`,
    hint: known?.hint ?? (keptLog === undefined ? undefined : `Look at ${keptLog}.`),
    cause: why,
  })
}
