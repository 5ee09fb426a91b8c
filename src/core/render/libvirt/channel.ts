import { element, type XmlElement } from '../../xml/xml.js'

/** Where a guest agent answers when the guest has one; libvirt chooses the socket. */
export function renderChannel(): XmlElement {
  return element(
    'channel',
    { type: 'unix' },
    element('target', { type: 'virtio', name: 'org.qemu.guest_agent.0' }),
  )
}
