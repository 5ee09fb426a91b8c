import { type Finding, fine, note, problem } from './finding.js'

/** Machines of a deployment that was applied, each with what its QEMU says: "off" without one. */
export function examineMachines(deployment: string, machines: { name: string; state: string }[]): Finding[] {
  return machines.map(({ name, state }) => {
    const subject = `machine ${deployment}/${name}`
    if (state === 'running') return fine(subject, 'running')
    if (state === 'off') {
      return note(
        'machine-off',
        subject,
        'off, its deployment is not',
        'It was stopped, powered off by itself, or was killed: the end of its console log tells.',
        `\`vhostkit start ${deployment}\` starts those that are off.`,
      )
    }
    if (state === 'no answer') {
      return problem(
        'machine-silent',
        subject,
        'its monitor does not answer',
        'QEMU hangs or is stopped, or its libvirt is away.',
        `\`vhostkit stop ${deployment} ${name} --grace 0\` ends it, \`vhostkit start ${deployment} ${name}\` starts it anew.`,
      )
    }
    return note(
      'machine-halted',
      subject,
      state,
      'Its vCPUs stand still.',
      'See its console log and the log of QEMU.',
    )
  })
}
