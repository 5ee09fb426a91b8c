import { mustVirsh, virsh } from './virsh.js'

/** The definitions of all domains, as each starts from next; those that go meanwhile are left out. */
export async function listDefinitions(connect: string): Promise<string[]> {
  const listed = await mustVirsh(connect, ['list', '--all', '--uuid'])
  const definitions: string[] = []
  for (const uuid of listed.split('\n').filter((line) => line.trim() !== '')) {
    const dumped = await virsh(connect, ['dumpxml', '--inactive', '--security-info', uuid.trim()])
    if (dumped.ok) definitions.push(dumped.stdout)
  }
  return definitions
}
