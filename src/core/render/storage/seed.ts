import type { CloudInitPlan, GuestNetworkPlan, MachinePlan } from '../../plan/plan.js'
import { contentId, seedFile } from '../../spec/names.js'

export interface Seed {
  path: string
  files: { name: string; text: string }[]
}

/**
 * The seed of cloud-init's data source NoCloud: the files of a volume called
 * "cidata"; null without cloud-init. Its instance-id is another one when
 * anything in it is, which is what makes cloud-init act on it again.
 */
export function renderSeed({ uuid, storage }: MachinePlan): Seed | null {
  const cloudInit = storage?.cloudInit ?? null
  if (storage === undefined || cloudInit === null) return null
  const { hostname } = cloudInit
  const network = renderNetworkConfig(cloudInit)
  const others = [
    { name: 'user-data', text: renderUserData(cloudInit) },
    ...(network === null ? [] : [{ name: 'network-config', text: network }]),
  ]
  const contents = JSON.stringify([hostname, others])
  const instance = `${uuid}-${contentId(contents)}`
  const metaData = toText({ 'instance-id': instance, 'local-hostname': hostname })
  return {
    path: seedFile(storage.folder, contents),
    files: [{ name: 'meta-data', text: metaData }, ...others],
  }
}

/** JSON is YAML, and no value in it can be taken for anything but itself. */
function toText(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`
}

function renderUserData({ userData, hostname, user, password, sshKeys, packages }: CloudInitPlan): string {
  if (userData !== null) return userData
  const keys = sshKeys.length === 0 ? {} : { ssh_authorized_keys: sshKeys }
  const account = {
    name: user,
    shell: '/bin/bash',
    sudo: 'ALL=(ALL) NOPASSWD:ALL',
    lock_passwd: password === null,
    ...(password === null ? {} : { passwd: password }),
    ...keys,
  }
  const config = {
    hostname,
    // Without a user of ours the keys are for the one that the image comes with.
    ...(user === null ? keys : { users: [account] }),
    ...(packages.length === 0 ? {} : { package_update: true, packages }),
  }
  return `#cloud-config\n${toText(config)}`
}

/** Version 2, each card by its MAC; null when the guest's network is not ours to set up. */
function renderNetworkConfig({ network, dns }: CloudInitPlan): string | null {
  if (network === null || network.length === 0) return null
  const cards = network.map((card, index) => [`net${index}`, renderCard(card, dns)] as const)
  return toText({ version: 2, ethernets: Object.fromEntries(cards) })
}

function renderCard({ mac, mtu, addresses, gateway }: GuestNetworkPlan, dns: string[]) {
  const routes =
    gateway === null ? {} : { routes: [{ to: gateway.includes(':') ? '::/0' : '0.0.0.0/0', via: gateway }] }
  // A network without a DHCP server must not hold up the boot.
  const how = addresses.length === 0 ? { dhcp4: true, optional: true } : { addresses, ...routes }
  return {
    match: { macaddress: mac },
    ...how,
    ...(dns.length === 0 ? {} : { nameservers: { addresses: dns } }),
    ...(mtu === 1500 ? {} : { mtu }),
  }
}
