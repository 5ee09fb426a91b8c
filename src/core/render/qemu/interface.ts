import type { InterfacePlan } from '../../plan/plan.js'
import { renderOptions } from './options.js'

/** One card: QEMU listens on the socket, the switch comes as the client, so each may restart. */
export function renderInterface(nic: InterfacePlan): string[] {
  const { index, socket, queues, mac, vectors, rxQueueSize, txQueueSize, mtu, carrier } = nic
  return [
    '-chardev',
    renderOptions('socket', { id: `port${index}`, path: socket, server: true }),
    '-netdev',
    renderOptions('vhost-user', { id: `net${index}`, chardev: `port${index}`, queues }),
    '-device',
    renderOptions('virtio-net-pci', {
      netdev: `net${index}`,
      id: `nic${index}`,
      mac,
      mq: queues > 1 ? true : null,
      vectors,
      rx_queue_size: rxQueueSize,
      tx_queue_size: txQueueSize,
      host_mtu: mtu === 1500 ? null : mtu,
      // Announcing itself needs the status field; without it QEMU has the switch announce the guest.
      status: carrier === 'steady' ? false : null,
      guest_announce: carrier === 'steady' ? false : null,
      // No boot from the network; its ROM is in a package of its own that may be missing.
      romfile: '',
    }),
  ]
}
