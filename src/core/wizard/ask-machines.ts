import { checkCount, checkCpus, checkMemory, checkName, checkNames } from './check-text.js'
import { allMemory, chooseCpus, chooseMemory } from './defaults.js'
import { type Answers, answerTo, choose, type Question, splitWords } from './question.js'
import { showNodes } from './show-host.js'
import type { Sights } from './sights.js'

/** How many machines, and what each is. Alike ones are asked about once. */
export function askMachines(sights: Sights, answers: Answers): Question[] {
  const count = Number(answerTo(answers, 'machines') || 0)
  const alike = count > 1 ? [askAlike(count)] : []
  const groups = groupsOf(answers)
  return [
    askCount(),
    ...(count > 0 ? alike : []),
    ...groups.flatMap((group, index) => askMachine(sights, answers, group, count, groups.slice(0, index))),
  ]
}

/** "" for all of them at once, else "machine1.", "machine2."…; nothing while it is not known. */
export function groupsOf(answers: Answers): string[] {
  const count = Number(answerTo(answers, 'machines') || 0)
  const alike = count === 1 ? 'no' : answerTo(answers, 'alike')
  if (count === 0 || alike === '') return []
  return alike === 'yes' ? [''] : Array.from({ length: count }, (_, index) => `machine${index + 1}.`)
}

function askCount(): Question {
  return {
    id: 'machines',
    prompt: 'How many machines?',
    why: 'Two can talk with each other, which is the usual beginning.',
    shown: [],
    choices: null,
    default: '2',
    check: (text) => checkCount(text, 64),
  }
}

function askAlike(count: number): Question {
  return choose({
    id: 'alike',
    prompt: `Shall the ${count} machines be alike?`,
    why: 'Then they are asked about once.',
    shown: [],
    choices: [
      { answer: 'yes', label: 'yes', about: `They are called vm1 to vm${count}.` },
      { answer: 'no', label: 'no', about: 'Each has its own name, CPUs, memory and networks.' },
    ],
    default: 'yes',
  })
}

function askMachine(
  sights: Sights,
  answers: Answers,
  group: string,
  count: number,
  before: string[],
): Question[] {
  const { facts } = sights
  const whose = group === '' ? 'each machine' : answerTo(answers, `${group}name`) || 'it'
  const isTestGuest = sights.guests.some(({ id, addressed }) => addressed && id === answerTo(answers, 'boot'))
  const { cpus, why: whyCpus } = chooseCpus(facts, count)
  const { memory, why: whyMemory } = chooseMemory(facts, count, isTestGuest)
  const networks = splitWords(answerTo(answers, 'networks'))
  const host = { shown: showNodes(facts), choices: null }
  return [
    ...(group === '' ? [] : [askMachineName(answers, group, before)]),
    {
      ...host,
      id: `${group}cpus`,
      prompt: `How many vCPUs for ${whose}?`,
      why: whyCpus,
      default: String(cpus),
      check: checkCpus,
    },
    {
      ...host,
      id: `${group}memory`,
      prompt: `How much memory for ${whose}?`,
      why: whyMemory,
      default: memory,
      check: (text) => checkMemory(text, allMemory(facts)),
    },
    ...(networks.length < 2
      ? []
      : [
          {
            id: `${group}networks`,
            prompt: `Which networks is ${whose} on?`,
            why: 'One network card for each, in this order.',
            shown: [`networks: ${networks.join(', ')}`],
            choices: null,
            default: networks.join(', '),
            check: (text: string) => checkNames(text, 16, networks),
          },
        ]),
  ]
}

function askMachineName(answers: Answers, group: string, before: string[]): Question {
  const taken = before.map((earlier) => answerTo(answers, `${earlier}name`))
  const number = before.length + 1
  const free = [`vm${number}`, `vm${number}-2`, ...taken.map((_, index) => `vm${number}-${index + 3}`)]
  return {
    id: `${group}name`,
    prompt: `What is machine ${number} called?`,
    why: 'Names of ports, sockets and MAC addresses are made from it.',
    shown: [],
    choices: null,
    default: free.find((name) => !taken.includes(name)) ?? `vm${number}-new`,
    check: (text) => (taken.includes(text) ? 'a name that is used once' : checkName(text)),
  }
}
