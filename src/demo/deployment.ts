import { deploy } from '../apply/deploy.js'
import type { Operation } from '../apply/operation.js'
import type { Prepared } from '../apply/prepare.js'
import type { Facts } from '../core/facts/facts.js'
import type { MachineArtifact } from '../core/render/artifacts.js'
import type { DemoSpec } from './demo-spec.js'
import { GuestSession } from './guest/guest-session.js'

/** A guest that runs, and how long it took from QEMU's start until it was ready. */
export interface BootedGuest {
  name: string
  bootMs: number
  session: GuestSession
}

export interface DeployDemo {
  demoSpec: DemoSpec
  facts: Facts
  operation: Operation
  say(line: string): void
  planned(prepared: Prepared): void
  /** Called for each console that is opened, so that it is closed whatever happens. */
  opened(session: GuestSession): void
}

/** Applies the spec as `vhostkit apply` does and waits for the guests that it started. */
export async function deployAndBoot(
  input: DeployDemo,
): Promise<{ prepared: Prepared; guests: BootedGuest[] }> {
  const { demoSpec, facts, operation, say } = input
  const boots: Promise<BootedGuest>[] = []
  const begins = new Map<string, number>()
  const prepared = await deploy(
    {
      specText: demoSpec.specText,
      spec: demoSpec.spec,
      planOptions: { fileName: demoSpec.specText.path },
      restart: false,
      readFacts: async () => facts,
      planned: input.planned,
    },
    {
      ...operation,
      progress: ({ step, state }) => {
        if (state !== 'start') say(state === 'done' ? step.label : `${state}: ${step.label}`)
        if (step.action.do !== 'start-machine') return
        const { machine } = step.action
        if (state === 'start') begins.set(machine.name, performance.now())
        if (state !== 'done') return
        const booted = boot(machine, begins.get(machine.name) ?? performance.now(), input)
        // It may fail while others still start or all are undone, when nobody waits for it yet.
        booted.catch(() => undefined)
        boots.push(booted)
      },
    },
  )
  say('waiting for the guests to be ready')
  const guests = await Promise.all(boots)
  return { prepared, guests }
}

async function boot(machine: MachineArtifact, begin: number, input: DeployDemo): Promise<BootedGuest> {
  const { name, consoleSocket } = machine
  const session = await GuestSession.connect(name, consoleSocket, input.operation.signal)
  input.opened(session)
  await session.ready()
  const bootMs = Math.round(performance.now() - begin)
  input.say(`${name} is ready after ${(bootMs / 1000).toFixed(1)} s`)
  return { name, bootMs, session }
}
