import assert from 'node:assert/strict'
import { type Facts, makePlan, type Plan } from '../../../src/index.js'
import { readHost } from '../../golden/read-cases.js'
import { defaultBoot, folders, planOf, specOf } from '../../plan-of.js'

const machines = (count: number, more = '') =>
  Array.from(
    { length: count },
    (_, i) => `  - { name: vm${i}, memory: 256M, ${more} interfaces: [lan] }\n`,
  ).join('')
const lan = (name: string, body: string) =>
  `version: 1\nname: ${name}\nnetworks: [{ name: lan }]\nmachines:\n${body}`

/** The host once some machines run on it: their pages and memory are gone. */
function afterStart(facts: Facts, plan: Plan): Facts {
  const nodes = facts.nodes.map((node) => ({
    ...node,
    hugepages: node.hugepages.map((pool) => {
      const taken = plan.hugepages.find((need) => need.node === node.id && need.pageBytes === pool.pageBytes)
      return { ...pool, free: Math.max(0, pool.free - (taken?.pages ?? 0)) }
    }),
  }))
  return { ...facts, nodes }
}

describe('makePlan', () => {
  it('gives the same plan for the same host', () => {
    const text = lan('same', machines(5))
    const host = readHost('two-node')
    assert.equal(JSON.stringify(planOf(text, host)), JSON.stringify(planOf(text, structuredClone(host))))
  })

  it('refuses a kernel or a RAM disk that is not there', () => {
    const spec = specOf(lan('k', machines(1, 'boot: { kernel: /srv/k, initrd: /srv/i },')))
    const planned = (missing: string[]) => {
      const made = makePlan(spec, { ...readHost('one-node'), missing }, folders, { fileName: 'k.yaml' })
      return 'problems' in made
        ? made.problems.map(({ code, path, found }) => `${code} ${path} ${found}`)
        : []
    }
    assert.deepEqual(planned(['/srv/i', '/other']), [
      'image-missing machines[0].boot.initrd /srv/i: no such file',
    ])
    assert.deepEqual(planned([]), [])
  })

  it('gives every decision a reason', () => {
    const { reasons } = planOf(lan('why', machines(2)), readHost('two-node'))
    const subjects = reasons.map(({ subject }) => subject)
    for (const subject of [
      'accelerator',
      'machine vm0 node',
      'machine vm1 memory',
      'switch cores',
      'machine vm1 net0 queues',
    ]) {
      assert.ok(subjects.includes(subject), subject)
    }
    for (const { choice, why } of reasons) assert.ok(choice !== '' && why.endsWith('.'), why)
  })

  it('keeps running machines where they are, though they hold the pages themselves', () => {
    const host = readHost('two-node')
    const text = lan('keep', machines(4))
    const first = planOf(text, host)
    assert.equal(first.machines[3]?.memory.backing, 'hugepages')
    const busy = afterStart(host, first)
    const running = first.machines.map(({ name }) => name)
    const again = planOf(text, busy, { keep: { plan: first, running } })
    assert.deepEqual(again.machines, first.machines)
    assert.deepEqual(again.switch, first.switch)
    const moved = planOf(text, busy)
    assert.notDeepEqual(moved.machines, first.machines)
  })

  it('leaves the cores of a switch that others run on, unless the spec names some', () => {
    const host = readHost('two-node')
    const alone = planOf(lan('one', machines(2)), host)
    const sharedCores = { cores: [1], spareCores: [] }
    const beside = planOf(lan('one', machines(2)), host, { sharedCores })
    assert.deepEqual([beside.switch.cores, beside.switch.spareCores], [[1], []])
    assert.notDeepEqual(alone.switch.cores, [1])
    const named = planOf(`${lan('one', machines(2))}switch: { cores: [2] }\n`, host, { sharedCores })
    assert.deepEqual(named.switch.cores, [2])
  })

  it('plans anew what stopped or what the spec now wants otherwise', () => {
    const host = readHost('two-node')
    const first = planOf(lan('keep', machines(2)), host)
    const keep = { plan: first, running: ['vm0'] }
    const changed = planOf(lan('keep', machines(2, 'hugepages: off,')), afterStart(host, first), { keep })
    assert.deepEqual(
      changed.machines.map(({ memory }) => memory.backing),
      ['memfd', 'memfd'],
    )
    const other = planOf(lan('other', machines(2)), host, { keep })
    assert.equal(other.deployment, 'other')
  })

  it('gives a machine to be restarted its own pages back', () => {
    const host = readHost('two-node')
    const wide = lan('wide', '  - { name: vm0, memory: 1G, interfaces: [lan] }\n')
    const wider = lan(
      'wide',
      '  - { name: vm0, memory: 1G, cpus: 2, hugepages: required, interfaces: [lan] }\n',
    )
    const first = planOf(wide, host)
    const planned = planOf(wider, afterStart(host, first), { keep: { plan: first, running: ['vm0'] } })
    assert.equal(planned.machines[0]?.memory.backing, 'hugepages')
  })

  it('avoids MACs that the spec gives to others', () => {
    const host = readHost('one-node')
    const usual = planOf(lan('mac', machines(2)), host).machines[1]?.interfaces[0]?.mac
    assert.ok(usual)
    const taken = lan(
      'mac',
      `  - { name: vm0, interfaces: [{ network: lan, mac: "${usual}" }] }\n  - { name: vm1, interfaces: [lan] }\n`,
    )
    const macs = planOf(taken, host).machines.map(({ interfaces }) => interfaces[0]?.mac)
    assert.equal(macs[0], usual)
    assert.notEqual(macs[1], usual)
  })

  it('keeps neighbours together and lets strangers spread', () => {
    const strangers = `version: 1\nname: far\nnetworks: [{ name: a }, { name: b }]\nmachines:\n${[
      'a',
      'b',
      'a',
      'b',
    ]
      .map(
        (network, i) =>
          `  - { name: vm${i}, cpus: 4, hugepages: off, memory: 1G, interfaces: [${network}] }\n`,
      )
      .join('')}`
    const nodes = planOf(strangers, readHost('two-node')).machines.map(
      ({ memory }) => memory.cells[0]?.hostNode,
    )
    assert.equal(nodes[0], nodes[2])
    assert.equal(nodes[1], nodes[3])
    assert.notEqual(nodes[0], nodes[1])
  })

  it('collects all that stands in the way', () => {
    const spec = specOf(lan('none', machines(1, 'hugepages: required, node: 7,')))
    const planned = makePlan(spec, { ...readHost('bare'), nodes: readHost('one-node').nodes }, folders, {
      fileName: 'a.yaml',
    })
    assert.ok('problems' in planned)
    const codes = planned.problems.map(({ code }) => code)
    assert.deepEqual(codes.sort(), [
      'boot-missing',
      'hugepages-short',
      'node-unknown',
      'qemu-missing',
      'switch-missing',
    ])
    assert.ok(planned.problems.every(({ file }) => file === 'a.yaml'))
  })

  it('sets no MSI-X vectors under TCG, and says why', () => {
    const slow = planOf(lan('tcg', machines(1)), readHost('one-node'), { defaultBoot })
    assert.equal(slow.machines[0]?.interfaces[0]?.vectors, 0)
    assert.ok(slow.reasons.some(({ why }) => why.includes('QEMU 7.2 crashes')))
    const quick = planOf(lan('kvm', machines(1, 'cpus: 8,')), readHost('one-node-kvm'))
    assert.equal(quick.machines[0]?.interfaces[0]?.queues, 4)
    assert.equal(quick.machines[0]?.interfaces[0]?.vectors, 10)
  })
})
