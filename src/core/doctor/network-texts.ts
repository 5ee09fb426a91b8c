import type { networkErrors } from '../network-errors.js'
import type { ErrorText } from './error-texts.js'

/** What brings errors about DHCP, NAT and addresses about, and where to look. */
export const networkTexts: Record<keyof typeof networkErrors, ErrorText> = {
  'host-missing': {
    cause: 'dnsmasq and nftables work at the tap of the network, which is there only with host:.',
    look: 'The network of the spec.',
  },
  'dhcp-range': {
    cause: 'The range lies outside the subnet, holds the address of the host, or the subnet has no room.',
    look: 'host and dhcp of the network.',
  },
  'dnsmasq-missing': {
    cause: 'A network has dhcp, and its program or a user without rights for it is not there.',
    look: '`command -v dnsmasq`, `getent passwd dnsmasq nobody`.',
  },
  'nft-missing': { cause: 'A network has nat: true.', look: '`command -v nft`.' },
  'dhcp-failed': {
    cause:
      'Its address is taken on port 53 or 67, its user is gone, or its security profile forbids the run folder.',
    look: 'The sentence shown; `ss -lnpu`, and dnsmasq.log in the folder of the network below networks in the run folder.',
  },
  'nat-failed': {
    cause: 'The kernel lacks a module, or this user the right.',
    look: 'The sentence shown; `nft list tables`.',
  },
  'host-key-changed': {
    cause:
      'Its disk was made anew, or cloud-init was told something else and made new keys; or another machine has its address now.',
    look: '`vhostkit address MACHINE`; at its console `ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub`, beside what ssh has shown.',
  },
  'address-unknown': {
    cause: 'It has no lease, no fixed address, and the host has not met it on a tap.',
    look: '`vhostkit status`, `ip neigh`, `vhostkit console` of the machine.',
  },
}
