import type { Operation } from '../apply/operation.js'
import { VhostkitError } from '../core/errors.js'
import { showPlan } from '../core/render/show-plan.js'
import { readFacts } from '../host/facts.js'
import { runProgram } from '../world/run-program.js'
import type { DemoRun } from './demo.js'
import { type DemoResult, round, showTimes, summarizeOutages } from './demo-result.js'
import { type DemoSpec, readDemoSpec } from './demo-spec.js'
import { type BootedGuest, type DeployDemo, deployAndBoot } from './deployment.js'
import type { GuestSession } from './guest/guest-session.js'
import { killSwitchOnce, type Outage } from './kill-switch.js'
import { parsePing } from './parse-ping.js'
import { restartMachine } from './restart-machine.js'
import { findCollision } from './routes.js'

/** Between two probes of a guest: a gap is known this well. */
const probeIntervalMs = 5

/** Does all that the demo shows, in order, and measures it. */
export async function measure(run: DemoRun): Promise<Omit<DemoResult, 'left_behind' | 'ok'>> {
  const { stages } = run
  const demoSpec = await readDemoSpec(run.root, run.image)
  await refuseCollision(demoSpec)
  const facts = await stages.stage('look at the host', () => readFacts(run.builtSwitch))
  const [firstAddress = '', secondAddress = ''] = demoSpec.addresses
  const input = (say: (line: string) => void): DeployDemo => ({
    demoSpec,
    facts,
    operation: makeOperation(run),
    say,
    planned: () => undefined,
    opened: (session) => run.sessions.push(session),
  })

  const showOnce = ({ plan }: { plan: Parameters<typeof showPlan>[0] }) => stages.show(showPlan(plan))
  const { prepared, guests } = await stages.stage('start the switch and two machines', (say) =>
    deployAndBoot({ ...input(say), planned: showOnce }),
  )
  const [first, second] = requireTwo(guests, demoSpec)
  const ping = await stages.stage('ping machine to machine', () => first.session.ping(secondAddress, 20, 0.1))
  const hostPing = await stages.stage('ping host to machine', () => pingFromHost(firstAddress, run.signal))

  await first.session.startProbe(secondAddress, probeIntervalMs)
  await second.session.startProbe(firstAddress, probeIntervalMs)
  const { control } = prepared.artifacts.switch
  const outages = await stages.stage(`kill the switch ${showTimes(run.kills)}`, (say) =>
    killSwitch(control, [first.session, second.session], run, say),
  )
  const restartMs = await stages.stage('kill one machine and start it again', (say) =>
    restartMachine(prepared.artifacts, first, second, input(say)),
  )
  return {
    driver: prepared.plan.driver,
    accel: prepared.plan.accel,
    memory: [...new Set(prepared.plan.machines.map(({ memory }) => memory.backing))].join('+'),
    boot_ms: [first.bootMs, second.bootMs],
    ping: { sent: ping.sent, received: ping.received, rtt_avg_ms: ping.rttAvgMs },
    host_ping: { sent: hostPing.sent, received: hostPing.received },
    reconnect: summarizeOutages(outages),
    vm_restart_ms: round(restartMs),
  }
}

async function killSwitch(
  control: string,
  guests: GuestSession[],
  { kills, signal }: DemoRun,
  say: (line: string) => void,
): Promise<Outage[]> {
  const outages: Outage[] = []
  for (let count = 1; count <= kills; count++) {
    const outage = await killSwitchOnce(control, guests, signal)
    outages.push(outage)
    say(`kill ${count}: the machines heard nothing for ${round(outage.gapMs)} ms`)
  }
  return outages
}

async function pingFromHost(address: string, signal: AbortSignal) {
  const args = ['-n', '-q', '-c', '10', '-i', '0.2', '-W', '5', address]
  const result = await runProgram('ping', args, { timeoutMs: 20_000, signal })
  signal.throwIfAborted()
  return parsePing(result.stdout)
}

async function refuseCollision({ subnet }: DemoSpec): Promise<void> {
  const route = await findCollision(subnet)
  if (route === null) return
  throw new VhostkitError('subnet-in-use', {
    sentence: `The demo uses the subnet of ${subnet}, but this host has a route to ${route}.`,
    hint: 'Another demo may be running; else change the address in templates/specs/pair.yaml.',
  })
}

function makeOperation({ place, signal }: DemoRun): Operation {
  // The guest has no power button, and nothing to lose.
  const patience = { graceMs: 0, lockLimitMs: 5_000 }
  return {
    folders: place.folders,
    commandLine: 'vhostkit demo',
    progress: () => undefined,
    signal,
    ...patience,
  }
}

function requireTwo(guests: BootedGuest[], { spec }: DemoSpec): [BootedGuest, BootedGuest] {
  const [first, second] = spec.machines.map(({ name }) => guests.find((guest) => guest.name === name))
  if (first === undefined || second === undefined) {
    throw new VhostkitError('demo-failed', { sentence: 'Not all machines were started.' })
  }
  return [first, second]
}
