import type { MachinePlan, NetworkPlan, Plan, Reason } from '../plan/plan.js'
import { showSize } from '../spec/size.js'
import { showTable, wrapText } from './show-table.js'

/** The plan for people: what there will be, and why; in so many columns. */
export function showPlan(plan: Plan, width: number | null = null): string {
  const showRows = (heading: string[], rows: string[][]) =>
    rows.length === 0 ? '' : showTable([heading, ...rows], width)
  const sections = [
    `Plan of ${plan.deployment} (driver ${plan.driver}, accelerator ${plan.accel})`,
    showRows(['NETWORK', 'MTU', 'HOST', 'ADDRESSES'], plan.networks.map(networkRow)),
    showRows(['MACHINE', 'CPUS', 'MEMORY', 'BACKING', 'NODE', 'HOST CPUS'], plan.machines.map(machineRow)),
    showRows(['INTERFACE', 'NETWORK', 'MAC', 'QUEUES', 'PORT'], plan.machines.flatMap(interfaceRows)),
    showRows(['DISK', 'OF', 'BUS', 'SIZE', 'BOOT', 'FILE'], plan.machines.flatMap(diskRows)),
    [showSwitch(plan), showHugepages(plan)]
      .flatMap((line) => wrapText(line, width ?? line.length))
      .join('\n'),
    `Why:\n${showTable(gatherReasons(plan.reasons), width)}`,
  ]
  return `${sections.filter((section) => section !== '').join('\n\n')}\n`
}

function networkRow({ name, mtu, tap }: NetworkPlan): string[] {
  return [name, String(mtu), tap?.ifname ?? '-', tap?.addresses.join(', ') ?? '-']
}

function machineRow({ name, cpus, memory, hostCpus }: MachinePlan): string[] {
  const backing = memory.backing === 'memfd' ? 'memfd' : `hugepages of ${showSize(memory.pageBytes)}`
  const nodes = memory.cells.map(({ hostNode }) => hostNode ?? 'any').join(', ')
  const bound = hostCpus.length === 0 ? 'any' : showRanges(hostCpus)
  return [name, String(cpus), showSize(memory.bytes), backing, nodes, bound]
}

function interfaceRows({ name, interfaces }: MachinePlan): string[][] {
  return interfaces.map(({ index, network, mac, queues, port }) => {
    return [`${name} net${index}`, network, mac, String(queues), port]
  })
}

function diskRows({ name, storage }: MachinePlan): string[][] {
  return (storage?.disks ?? []).map(({ target, bus, path, backing, make, bootOrder, readonly }) => {
    const size =
      make === null
        ? readonly
          ? 'read-only'
          : '-'
        : make.bytes === null
          ? 'as its image'
          : showSize(make.bytes)
    return [
      `${name} ${target}`,
      backing?.path ?? '-',
      bus,
      size,
      bootOrder === null ? '-' : String(bootOrder),
      path,
    ]
  })
}

/** What was decided alike for many machines is said once. */
function gatherReasons(reasons: readonly Reason[]): string[][] {
  const gathered = new Map<string, { reason: Reason; machines: string[]; of: string }>()
  for (const reason of reasons) {
    const [, machine, of] = /^machine (\S+) (.*)$/.exec(reason.subject) ?? []
    const key = JSON.stringify([machine === undefined ? reason.subject : of, reason.choice, reason.why])
    const row = gathered.get(key) ?? { reason, machines: [], of: of ?? '' }
    if (machine !== undefined) row.machines.push(machine)
    gathered.set(key, row)
  }
  return [...gathered.values()].map(({ reason: { subject, choice, why }, machines, of }) => [
    `  ${machines.length < 2 ? subject : `${of}: ${nameSome(machines)}`}`,
    choice,
    why,
  ])
}

function nameSome(machines: string[]): string {
  return machines.length <= 3
    ? machines.join(', ')
    : `${machines.length} machines (${machines.slice(0, 2).join(', ')}, …)`
}

function showSwitch({ switch: { cores, spareCores, idle, control } }: Plan): string {
  const workers = cores.length === 0 ? 'workers not pinned' : `workers on cores ${cores.join(', ')}`
  const spare = spareCores.length === 0 ? '' : `, spare cores ${spareCores.join(', ')}`
  return `Switch: ${workers}${spare}, idle ${idle}, control ${control}`
}

function showHugepages({ hugepages }: Plan): string {
  if (hugepages.length === 0) return 'Hugepages: none'
  const needs = hugepages.map(
    ({ node, pageBytes, pages }) => `${pages} of ${showSize(pageBytes)} on node ${node}`,
  )
  return `Hugepages: ${needs.join(', ')}`
}

/** "0-3,8" from ascending numbers. */
export function showRanges(numbers: number[]): string {
  const ranges: { first: number; last: number }[] = []
  for (const number of numbers) {
    const open = ranges.at(-1)
    if (open?.last === number - 1) open.last = number
    else ranges.push({ first: number, last: number })
  }
  return ranges.map(({ first, last }) => (first === last ? `${first}` : `${first}-${last}`)).join(',')
}
