import type { Plan } from '../../plan/plan.js'
import type { PortRequest } from '../artifacts.js'
import { macLimit } from './mac-limit.js'

/** The switch's command line and the ports it must have, taps first. */
export function renderSwitch(plan: Plan): { argv: string[]; ports: PortRequest[] } {
  return { argv: renderSwitchArgv(plan), ports: [...renderTapPorts(plan), ...renderMachinePorts(plan)] }
}

function renderSwitchArgv({ switch: plan }: Plan): string[] {
  const { program, control, stateFile, log, cores, spareCores, idle, user } = plan
  const pinned = cores.length === 0 ? [] : ['--cores', cores.join(',')]
  const spare = spareCores.length === 0 ? [] : ['--spare-cores', spareCores.join(',')]
  const files = ['--control', control, '--state', stateFile, '--log', log]
  const become = user === undefined ? [] : ['--user', user]
  return [program, ...files, '--monitor', ...pinned, ...spare, '--idle', idle, ...become]
}

function renderTapPorts({ networks }: Plan): PortRequest[] {
  return networks.flatMap(({ name, mtu, tap }): PortRequest[] =>
    tap === null
      ? []
      : [{ kind: 'tap', name: tap.port, network: name, ifname: tap.ifname, mtu, mac_limit: macLimit }],
  )
}

function renderMachinePorts({ machines }: Plan): PortRequest[] {
  return machines.flatMap(({ interfaces }) =>
    interfaces.map(({ port, network, socket, queues, mtu, policy }): PortRequest => {
      const place = { name: port, network, socket }
      const limits = { mtu, mac_limit: macLimit, ...(policy === undefined ? {} : { policy }) }
      return { kind: 'vhost-user', ...place, role: 'client', queues, ...limits }
    }),
  )
}
