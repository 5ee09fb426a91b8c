import { join } from 'node:path'
import { readSpec, requireSpec, type SpecText } from '../apply/prepare.js'
import { VhostkitError } from '../core/errors.js'
import type { Spec } from '../core/spec/spec.js'
import { type GuestImage, guestBoot } from './guest/guest.js'

/** The spec of the demo with the guests' addresses decided. */
export interface DemoSpec {
  specText: SpecText
  spec: Spec
  /** The guests' addresses without prefix length, in the order of the machines. */
  addresses: string[]
  subnet: string
}

export async function readDemoSpec(root: string, image: GuestImage): Promise<DemoSpec> {
  const specText = await readSpec(join(root, 'templates/specs/pair.yaml'))
  const spec = requireSpec(specText)
  const subnet = spec.networks[0]?.hostAddresses[0]
  if (subnet === undefined || spec.machines.length !== 2) {
    throw new VhostkitError('demo-failed', {
      sentence: `${specText.path} must have two machines, and host: on its first network.`,
    })
  }
  const cidrs = spec.machines.map((_, index) => guestAddress(subnet, index))
  const machines = spec.machines.map((machine, index) => {
    return { ...machine, boot: guestBoot(image, cidrs[index] ?? '') }
  })
  const addresses = cidrs.map((cidr) => cidr.slice(0, cidr.indexOf('/')))
  return { specText, spec: { ...spec, machines }, addresses, subnet }
}

/** The address of a guest: 10 above the host's, then one more each ("192.168.77.1/24" gives .11, .12). */
export function guestAddress(hostCidr: string, index: number): string {
  const [address = '', bits = '24'] = hostCidr.split('/')
  const parts = address.split('.').map(Number)
  return `${[...parts.slice(0, 3), (parts[3] ?? 0) + 10 + index].join('.')}/${bits}`
}
