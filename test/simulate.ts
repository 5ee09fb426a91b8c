import assert from 'node:assert/strict'
import { sameNat } from '../src/core/steps/find-network-changes.js'
import { samePort } from '../src/core/steps/same-port.js'
import type { Action, Live, Step } from '../src/core/steps/steps.js'

/** A host as data: carries out what a driver would, and refuses what a real one would refuse. */
export class SimulatedHost {
  live: Live
  readonly folders = new Set<string>()

  constructor(live: Live) {
    this.live = structuredClone(live)
  }

  run(steps: Step[]): void {
    assert.equal(new Set(steps.map(({ id }) => id)).size, steps.length, 'ids are unique')
    for (const step of steps) {
      this.perform(step.action)
      this.verify(step)
    }
  }

  undo(steps: Step[]): void {
    for (const { undo } of [...steps].reverse()) if (undo !== null) this.perform(undo)
  }

  perform(action: Action): void {
    const { live } = this
    switch (action.do) {
      case 'make-folder':
        this.folders.add(action.path)
        break
      case 'remove-folder':
        this.folders.delete(action.path)
        break
      case 'make-file':
        assert.ok(!live.files.includes(action.file.path), 'the file is new')
        live.files.push(action.file.path)
        break
      case 'remove-file':
        live.files = live.files.filter((path) => path !== action.path)
        break
      case 'reserve-hugepages':
        this.movePages(action, action.pages)
        break
      case 'release-hugepages':
        this.movePages(action, -action.pages)
        break
      case 'start-switch':
        assert.equal(live.switch, null, 'no second switch')
        live.switch = { pid: 2, supervisorPid: 1, service: false, argv: action.argv }
        break
      case 'stop-switch':
        live.switch = null
        break
      case 'create-tap':
        assert.ok(!live.taps.some(({ ifname }) => ifname === action.tap.ifname), 'the tap is new')
        live.taps.push(action.tap)
        break
      case 'delete-tap':
        assert.ok(
          !live.ports.some((port) => port.kind === 'tap' && port.ifname === action.ifname),
          'no port uses the tap',
        )
        live.taps = live.taps.filter(({ ifname }) => ifname !== action.ifname)
        break
      case 'add-port': {
        const { port } = action
        assert.ok(live.switch !== null, 'the switch runs')
        assert.ok(!live.ports.some(({ name }) => name === port.name), 'the port is new')
        if (port.kind === 'tap')
          assert.ok(
            live.taps.some(({ ifname }) => ifname === port.ifname),
            'the tap is there',
          )
        live.ports.push(port)
        break
      }
      case 'start-dhcp': {
        const { dhcp } = action
        assert.ok(
          live.taps.some(({ ifname }) => ifname === dhcp.ifname),
          'its tap is there',
        )
        const there = live.dhcp.find((other) => other.dhcp.folder === dhcp.folder)
        assert.ok((there?.pid ?? 0) === 0, 'no second dnsmasq')
        live.dhcp = [...live.dhcp.filter((other) => other !== there), { dhcp, pid: 9 }]
        break
      }
      case 'stop-dhcp':
        live.dhcp = live.dhcp.flatMap((one) => {
          if (one.dhcp.folder !== action.dhcp.folder) return one
          return action.remove ? [] : { ...one, pid: 0 }
        })
        break
      case 'set-nat': {
        const { nat } = action
        const others = live.nat.filter((other) => other.nat.table !== nat.table)
        live.nat = [...others, { nat, marks: nat.marks, held: true, forwarding: true }]
        break
      }
      case 'delete-nat':
        live.nat = live.nat.filter((other) => other.nat.table !== action.nat.table)
        break
      case 'set-policy': {
        const { name, policy } = action
        assert.ok(
          live.ports.some((port) => port.name === name),
          'the port is there',
        )
        live.ports = live.ports.map((port) => {
          if (port.name !== name || port.kind === 'tap') return port
          const { policy: _, ...rest } = port
          return Object.keys(policy).length === 0 ? rest : { ...rest, policy }
        })
        break
      }
      case 'delete-port':
        live.ports = live.ports.filter(({ name }) => name !== action.name)
        break
      case 'define-domain':
        this.setDefinition(action.machine.name, action.machine.domain?.xml ?? null)
        break
      case 'undefine-domain':
        this.setDefinition(action.machine.name, null)
        break
      case 'start-machine':
        this.startMachine(action.machine)
        break
      case 'stop-machine':
        this.stopMachine(action.machine.name)
        break
      default:
        assert.fail(`no deployment does ${action.do}`)
    }
  }

  private setDefinition(name: string, xml: string | null): void {
    const there = this.live.machines.find((machine) => machine.name === name)
    if (there !== undefined) there.domain = { xml }
    else this.live.machines.push({ name, running: false, pid: 0, argv: null, domain: { xml } })
  }

  private startMachine(machine: Extract<Action, { do: 'start-machine' }>['machine']): void {
    const { name, argv, ports, folder, hugepages, domain } = machine
    const defined = this.live.machines.find((other) => other.name === name)?.domain?.xml ?? null
    if (domain !== undefined) assert.ok(defined !== null, 'the domain is defined')
    assert.ok(this.folders.has(folder), 'the folder is there')
    assert.ok(!this.live.machines.some((other) => other.name === name && other.running), 'it does not run')
    for (const port of ports)
      assert.ok(
        this.live.ports.some((other) => other.name === port),
        `port ${port} is there`,
      )
    for (const { path } of machine.files ?? []) assert.ok(this.live.files.includes(path), `${path} is there`)
    for (const need of hugepages) this.takePages(need, need.pages)
    this.held.set(name, hugepages)
    this.live.machines = this.live.machines.filter((other) => other.name !== name)
    const started = domain === undefined ? { argv } : { argv: null, domain: { xml: defined } }
    this.live.machines.push({ name, running: true, pid: 7, ...started })
  }

  private stopMachine(name: string): void {
    for (const need of this.held.get(name) ?? []) this.takePages(need, -need.pages)
    this.held.delete(name)
    this.live.machines = this.live.machines.map((machine) =>
      machine.name === name ? { ...machine, running: false, pid: 0, argv: null } : machine,
    )
  }

  private readonly held = new Map<string, { node: number; pageBytes: number; pages: number }[]>()

  private pool({ node, pageBytes }: { node: number; pageBytes: number }) {
    const pool = this.live.hugepages.find((other) => other.node === node && other.pageBytes === pageBytes)
    assert.ok(pool, `node ${node} has pages of ${pageBytes}`)
    return pool
  }

  private takePages(need: { node: number; pageBytes: number }, pages: number): void {
    const pool = this.pool(need)
    pool.free -= pages
    assert.ok(pool.free >= 0, 'the pages are free')
  }

  private movePages(need: { node: number; pageBytes: number }, pages: number): void {
    const pool = this.pool(need)
    pool.free += pages
    pool.total += pages
    assert.ok(pool.free >= 0, 'only free pages are released')
    const { reserved } = this.live
    const mine = reserved.find(({ node, pageBytes }) => node === need.node && pageBytes === need.pageBytes)
    if (mine === undefined) reserved.push({ node: need.node, pageBytes: need.pageBytes, pages })
    else mine.pages += pages
    this.live.reserved = reserved.filter((amount) => amount.pages !== 0)
  }

  private verify({ verify, id }: Step): void {
    const { live } = this
    const there = {
      folder: () => verify.expect === 'folder' && this.folders.has(verify.path) === verify.present,
      file: () => verify.expect === 'file' && live.files.includes(verify.path) === verify.present,
      'hugepages-free': () => verify.expect === 'hugepages-free' && this.pool(verify).free >= verify.atLeast,
      switch: () => verify.expect === 'switch' && (live.switch !== null) === verify.running,
      tap: () =>
        verify.expect === 'tap' &&
        live.taps.some(({ ifname }) => ifname === verify.ifname) === verify.present,
      port: () =>
        verify.expect === 'port' && live.ports.some(({ name }) => name === verify.name) === verify.present,
      policy: () => verify.expect === 'policy' && live.ports.some((port) => samePort(port, verify.port)),
      machine: () =>
        verify.expect === 'machine' &&
        live.machines.some(({ name, running }) => name === verify.name && running) === verify.running,
      domain: () =>
        verify.expect === 'domain' &&
        (live.machines.find(({ name }) => name === verify.machine.name)?.domain?.xml ?? null) === verify.xml,
      dhcp: () =>
        verify.expect === 'dhcp' &&
        live.dhcp.some(({ dhcp, pid }) => dhcp.folder === verify.dhcp.folder && pid > 0) === verify.running,
      nat: () =>
        verify.expect === 'nat' &&
        live.nat.some((one) => one.nat.table === verify.nat.table && sameNat(verify.nat, one)) ===
          verify.present,
      interface: () => false,
      metadata: () => false,
      nothing: () => true,
    }
    assert.ok(there[verify.expect](), `${id} is seen`)
  }
}

/** Live without what is over: machines that do not run, and the order of lists. */
export function settled(live: Live): unknown {
  const sorted = <T>(list: T[]) => list.map((item) => JSON.stringify(item)).sort()
  return {
    switch: live.switch?.argv ?? null,
    hugepages: sorted(live.hugepages),
    taps: sorted(live.taps),
    dhcp: sorted(live.dhcp),
    nat: sorted(live.nat),
    ports: sorted(live.ports),
    files: sorted(live.files),
    machines: sorted(live.machines.filter(({ running }) => running)),
    reserved: sorted(live.reserved),
  }
}
