import { VhostkitError } from '../../core/errors.js'
import { isNoDomain, mustVirsh, virsh } from './virsh.js'

/** A domain as libvirt has it, whoever made it. */
export interface FoundDomain {
  name: string
  uuid: string
  state: string
  /** The definition that it starts from next, byte for byte. */
  xml: string
  /** Its memory was saved by libvirt (managed save), with the definition of then. */
  saved: boolean
}

/** The domain of a name or UUID, whatever is in the word: virsh takes it for nothing else. */
export async function findDomain(connect: string, word: string): Promise<FoundDomain> {
  const uuid = await findUuid(connect, word)
  if (uuid === null) {
    throw new VhostkitError('not-found', {
      sentence: `libvirt has no domain ${JSON.stringify(word)} on ${connect}.`,
      hint: 'See `virsh list --all`.',
    })
  }
  const [name, state, xml, info] = await Promise.all([
    mustVirsh(connect, ['domname', uuid]),
    mustVirsh(connect, ['domstate', uuid]),
    mustVirsh(connect, ['dumpxml', '--inactive', '--security-info', uuid]),
    mustVirsh(connect, ['dominfo', uuid]),
  ])
  const saved = /^Managed save:\s*yes/m.test(info)
  return { name: name.trim(), uuid, state: state.trim(), xml, saved }
}

const uuidPattern = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

/** virsh's domuuid wants a name; what looks like a UUID may be either. null when there is no such domain. */
async function findUuid(connect: string, word: string): Promise<string | null> {
  const named = await virsh(connect, ['domuuid', '--', word])
  if (named.ok) return named.stdout.trim()
  if (!isNoDomain(named.stderr)) await mustVirsh(connect, ['domuuid', '--', word])
  if (!uuidPattern.test(word)) return null
  const known = await virsh(connect, ['domname', '--', word])
  return known.ok ? word.toLowerCase() : null
}
