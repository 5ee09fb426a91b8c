import { askGuest } from './ask-guest.js'
import { askServices } from './ask-services.js'
import { checkHost, checkName, checkNames } from './check-text.js'
import { chooseHost, hasHugepages } from './defaults.js'
import { type Answers, answerTo, choose, type Question, splitWords } from './question.js'
import { showPages } from './show-host.js'
import type { Sights } from './sights.js'

/** What concerns the whole deployment: its name, who runs it, its networks, what boots. */
export function askDeployment(sights: Sights, answers: Answers): Question[] {
  return [
    askName(sights),
    ...askDriver(sights),
    askNetworks(sights),
    ...splitWords(answerTo(answers, 'networks')).flatMap((network, index) =>
      askHost(sights, answers, network, index),
    ),
    ...askGuest(sights, answers),
    ...askServices(sights, answers),
    ...askHugepages(sights),
  ]
}

function askName({ suggestedName }: Sights): Question {
  return {
    id: 'name',
    prompt: 'What shall the deployment be called?',
    why: 'status, start, stop and destroy know it by this name.',
    shown: [],
    choices: null,
    default: suggestedName,
    check: checkName,
  }
}

/** Without a libvirt that answers there is nothing to choose. */
function askDriver({ facts, libvirtNetworks }: Sights): Question[] {
  if (facts.libvirt === null || libvirtNetworks === null) return []
  return [
    choose({
      id: 'driver',
      prompt: 'Who shall run the machines?',
      why: `libvirt ${facts.libvirt.version} answers here, so there are two ways.`,
      shown: [],
      choices: [
        { answer: 'qemu', label: 'vhostkit itself', about: 'Starts QEMU directly; nothing else is needed.' },
        {
          answer: 'libvirt',
          label: 'libvirt',
          about: 'The machines become domains; virsh and virt-manager see them.',
        },
      ],
      default: 'qemu',
    }),
  ]
}

function askNetworks({ libvirtNetworks }: Sights): Question {
  const theirs = libvirtNetworks ?? []
  return {
    id: 'networks',
    prompt: 'Which networks shall there be?',
    why: "They are the switch's own; several with commas between them, such as lan, storage.",
    shown: theirs.length === 0 ? [] : [`libvirt's own networks, which stay apart: ${theirs.join(', ')}`],
    choices: null,
    default: 'lan',
    check: (text) => checkNames(text, 16),
  }
}

/** Without the right to make taps the host cannot be on a network. */
function askHost({ facts, subnets }: Sights, answers: Answers, network: string, index: number): Question[] {
  if (!facts.canCreateTaps) return []
  const earlier = answers
    .filter(({ id, answer }) => id.startsWith('host.') && id !== `host.${network}` && answer !== 'none')
    .map(({ answer }) => answer)
  const taken = [...subnets, ...earlier]
  return [
    {
      id: `host.${network}`,
      prompt: `Which address shall the host have on ${network}?`,
      why:
        index === 0
          ? 'With one, you reach the machines from here; this subnet is free. Or: none.'
          : 'Only machines are on a second network, unless you give an address such as 10.5.0.1/24.',
      shown: subnets.length === 0 ? [] : [`subnets in use: ${subnets.slice(0, 8).join(', ')}`],
      choices: null,
      default: index === 0 ? chooseHost(taken) : 'none',
      check: (text) => checkHost(text, taken),
    },
  ]
}

/** On a host without any, and without the right to reserve some, every answer would be the same. */
function askHugepages({ facts }: Sights): Question[] {
  if (!hasHugepages(facts)) return []
  return [
    choose({
      id: 'hugepages',
      prompt: 'Shall the memory be hugepages?',
      why: 'They are faster, and only what is missing is reserved; it is given back on destroy.',
      shown: showPages(facts),
      choices: [
        { answer: 'preferred', label: 'when there are enough', about: 'Else ordinary shared memory.' },
        { answer: 'required', label: 'always', about: 'The deployment is refused without.' },
        { answer: 'off', label: 'never', about: 'Ordinary shared memory (memfd).' },
      ],
      default: 'preferred',
    }),
  ]
}
