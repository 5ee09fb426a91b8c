import { z } from 'zod'
import { parseCidr } from './address.js'
import { expecting, list, mapping, text, yesOrNo } from './shape.js'
import type { CloudInitSpec } from './spec.js'

const ownText = expecting('user-data alone: it replaces user, password, ssh-keys and packages')
const dnsText = expecting('the IP address of a name server')
const userData = z
  .string(expecting('a text that begins with "#", such as #cloud-config'))
  .regex(/^#/, expecting('a text that begins with "#", such as #cloud-config'))
  .max(65_536, expecting('a text of at most 65536 characters'))

export const userSchema = text(/^[a-z_][a-z0-9_-]{0,31}$/, 'the name of a Linux user')
export const publicKeyPattern = /^(ssh-|ecdsa-|sk-)[!-~]+ [\x20-\x7e]{20,8000}$/

/** What cloud-init in the guest is told at its first boot. */
export const cloudInitSchema = mapping({
  user: userSchema.optional(),
  password: text(/^\$[0-9a-z]{1,2}\$[!-9;-~]{10,300}$/, 'a hash as `openssl passwd -6` prints it').optional(),
  'ssh-keys': list(
    text(publicKeyPattern, 'a line of an OpenSSH public key file'),
    'public keys',
    1,
    64,
  ).optional(),
  hostname: text(
    /^(?=.{1,253}$)[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*$/,
    'a host name',
  ).optional(),
  packages: list(
    text(/^[A-Za-z0-9][A-Za-z0-9+.:=~_/-]{0,127}$/, 'the name of a package'),
    'packages',
    1,
    256,
  ).optional(),
  dns: list(
    z
      .string(dnsText)
      .refine((address) => (parseCidr(`${address}/32`) ?? parseCidr(`${address}/128`)) !== null, dnsText),
    'name servers',
    1,
    8,
  ).optional(),
  network: yesOrNo.default(true),
  'user-data': userData.optional(),
})
  .refine(
    ({ user, password, packages, 'ssh-keys': keys, 'user-data': own }) =>
      own === undefined || (user ?? password ?? packages ?? keys) === undefined,
    { ...ownText, path: ['user-data'] },
  )
  .refine(({ user, password }) => password === undefined || user !== undefined, {
    ...expecting('a user, for a password'),
    path: ['user'],
  })
  .transform(
    (given): CloudInitSpec => ({
      user: given.user ?? null,
      password: given.password ?? null,
      sshKeys: given['ssh-keys'] ?? [],
      hostname: given.hostname ?? null,
      packages: given.packages ?? [],
      dns: given.dns ?? [],
      network: given.network,
      userData: given['user-data'] ?? null,
    }),
  )
