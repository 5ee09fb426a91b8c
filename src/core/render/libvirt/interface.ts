import type { InterfacePlan } from '../../plan/plan.js'
import { element, type XmlElement } from '../../xml/xml.js'

/**
 * One card. `mode` is QEMU's role: it listens, the switch comes as the client, so
 * each may restart. The offloads are those that the switch passes through or carries out itself.
 */
export function renderInterface(nic: InterfacePlan): XmlElement {
  const { index, mac, socket, queues, rxQueueSize, txQueueSize, mtu } = nic
  return element(
    'interface',
    { type: 'vhostuser' },
    element('mac', { address: mac }),
    element('source', { type: 'unix', path: socket, mode: 'server' }),
    element('model', { type: 'virtio' }),
    element(
      'driver',
      { queues: queues > 1 ? queues : null, rx_queue_size: rxQueueSize, tx_queue_size: txQueueSize },
      element('host', { csum: 'on', tso4: 'on', tso6: 'on', mrg_rxbuf: 'on' }),
      element('guest', { csum: 'on', tso4: 'on', tso6: 'on' }),
    ),
    mtu === 1500 ? null : element('mtu', { size: mtu }),
    element('alias', { name: interfaceAlias(index) }),
    // No boot from the network; its ROM is in a package of its own that may be missing.
    element('rom', { enabled: 'no' }),
  )
}

/** A name of our own ("ua-"), which libvirt keeps, so that overrides find the card. */
export function interfaceAlias(index: number): string {
  return `ua-net${index}`
}
