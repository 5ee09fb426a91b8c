import { parseCidr } from '../spec/address.js'
import { type Answers, answerTo, choose, type Question, splitWords } from './question.js'
import type { Sights } from './sights.js'

/**
 * What the host does for the machines of each network that it is on. The demo's guest has its address from its
 * command line, and a host without dnsmasq and nft can do nothing: then nothing is asked.
 */
export function askServices({ facts, guests }: Sights, answers: Answers): Question[] {
  const boot = answerTo(answers, 'boot')
  if (boot === '' || guests.some(({ id, addressed }) => addressed && id === boot)) return []
  const [dhcp, nat] = [facts.dnsmasq !== null, facts.nft !== null]
  if (!dhcp && !nat) return []
  return splitWords(answerTo(answers, 'networks')).flatMap((network): Question[] => {
    const host = parseCidr(answerTo(answers, `host.${network}`))
    if (host === null || host.family !== 4) return []
    // A /31 has no address but the host's and one more: too few to hand out.
    const roomy = host.prefix <= 30
    return roomy || nat ? [askNetwork(network, dhcp && roomy, nat)] : []
  })
}

function askNetwork(network: string, dhcp: boolean, nat: boolean): Question {
  return choose({
    id: `services.${network}`,
    prompt: `What shall the host do for the machines on ${network}?`,
    why:
      dhcp && nat
        ? 'Cloud images ask for an address by DHCP, and mostly want to reach beyond the host.'
        : 'There is less to choose from without dnsmasq, without nft, or with a subnet of two addresses.',
    shown: [],
    choices: [
      ...(dhcp && nat
        ? [
            {
              answer: 'both',
              label: 'addresses, names and a way out',
              about: 'dhcp and nat; destroy undoes both.',
            },
          ]
        : []),
      ...(dhcp
        ? [
            {
              answer: 'dhcp',
              label: 'addresses and names',
              about: 'A dnsmasq on this network alone; no way out.',
            },
          ]
        : []),
      ...(nat
        ? [
            {
              answer: 'nat',
              label: 'a way out',
              about: 'nftables masquerade; the machines have their own addresses.',
            },
          ]
        : []),
      { answer: 'nothing', label: 'nothing', about: 'It is there, at its address, and no more.' },
    ],
    default: dhcp && nat ? 'both' : dhcp ? 'dhcp' : 'nothing',
  })
}
