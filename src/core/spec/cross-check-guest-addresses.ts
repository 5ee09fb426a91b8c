import { parseCidr, whyNotAHostAddress } from './address.js'
import type { Found, LooseInterface, LooseSpec } from './loose-spec.js'
import { type Complaint, showPath } from './problem.js'

/** Guest addresses that nobody could have, that somebody else has, and routers that cannot be reached. */
export function guestAddressComplaints({ networks, machines }: LooseSpec): Complaint[] {
  const nics = machines.flatMap(({ interfaces }) => interfaces)
  const hosts = networks.flatMap(({ name, addresses }) =>
    addresses.map((address) => ({ network: name?.value, address })),
  )
  const guests = nics.flatMap(({ network, addresses }) =>
    addresses.map((address) => ({ network: network?.value, address })),
  )
  const all = [...hosts, ...guests]
  return [
    ...guests.flatMap(({ address }) => unusable(address)),
    ...guests.flatMap(({ network, address }) => {
      const rival = all.find((other) => other.network === network && isSame(other.address, address))
      if (network === undefined || rival === undefined || rival.address === address) return []
      const found = `${address.value}, which is also ${showPath(rival.address.path)}`
      return [complain(address, 'an address that is used once in the network', found)]
    }),
    ...nics.flatMap(gatewayComplaints),
  ]
}

function unusable(address: Found<string>): Complaint[] {
  const cidr = parseCidr(address.value)
  const fault = cidr === null ? 'no such address' : whyNotAHostAddress(cidr)
  const expected = 'an address that a machine can have, such as 192.168.77.11/24'
  return fault === null ? [] : [complain(address, expected, `${address.value}, ${fault}`)]
}

function gatewayComplaints({ gateway, addresses }: LooseInterface): Complaint[] {
  if (gateway === null) return []
  const router = parseCidr(`${gateway.value}/32`) ?? parseCidr(`${gateway.value}/128`)
  const near = addresses.map(({ value }) => parseCidr(value))
  const reached = near.some(
    (cidr) =>
      cidr !== null &&
      router !== null &&
      cidr.family === router.family &&
      cidr.first <= router.address &&
      router.address <= cidr.last,
  )
  const expected = 'a router within the subnet of an address of the interface'
  return reached ? [] : [complain(gateway, expected, gateway.value)]
}

function isSame(a: Found<string>, b: Found<string>): boolean {
  const [one, other] = [parseCidr(a.value), parseCidr(b.value)]
  return one !== null && other !== null && one.family === other.family && one.address === other.address
}

function complain({ path }: Found<string>, expected: string, found: string): Complaint {
  return { code: 'address-invalid', path, expected, found, hint: 'Write it as in 192.168.77.11/24.' }
}
