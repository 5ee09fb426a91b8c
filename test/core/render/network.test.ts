import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { Plan } from '../../../src/core/plan/plan.js'
import { hostName } from '../../../src/core/plan/plan-dhcp.js'
import { renderDhcp } from '../../../src/core/render/network/dnsmasq.js'
import { renderNat } from '../../../src/core/render/network/nftables.js'
import { namePattern } from '../../../src/core/spec/names.js'
import { makePlan, parseSpec } from '../../../src/index.js'
import { readHost } from '../../golden/read-cases.js'
import { defaultBoot, folders } from '../../plan-of.js'

const first = 'abcXYZ019'
const good = fc
  .tuple(fc.constantFrom(...first), fc.string({ unit: fc.constantFrom(...`${first}_.-`), maxLength: 62 }))
  .map(([head, tail]) => head + tail)
const hostile = fc.oneof(
  fc.string(),
  fc.constantFrom(
    'a\nserver=1.1.1.1',
    'x" accept; #',
    'lan;drop',
    '$(reboot)',
    'a,b',
    'a b',
    "a'b",
    '#',
    '*',
  ),
)

/** Every line that a dnsmasq.conf of ours can have: keys we chose, values of plain characters. */
const configLine =
  /^(# Written by vhostkit for network [\w.-]+ of [\w.-]+; the next apply writes it again\.|[a-z-]+(=[A-Za-z0-9.,:/_-]+)?)$/
/** The words of a ruleset of ours. A quote holds the name of a tap, "vk*" or a comment of ours. */
const rulesetLine =
  /^(|table ip vhostkit_\w+( \{)?|delete table ip vhostkit_\w+|\t?\}|\tchain (forward|postrouting) \{|\t\ttype (filter|nat) hook (forward|postrouting) priority (filter|srcnat); policy accept;|\t\t([a-z,= !]+|"vk[0-9a-f]{6}-[A-Za-z0-9]{1,6}"|"vk\*"|"vhostkit [0-9a-f]{8} \d"|[0-9./]+|\{ [0-9./, ]+ \})*)$/

/** The texts of a spec that was accepted; null when it was refused. */
function textsOf(deployment: string, network: string, machine: string, domain: string) {
  const spec = {
    version: 1,
    name: deployment,
    networks: [
      { name: network, host: { addresses: ['192.168.77.1/24', '10.5.0.1/16'] }, dhcp: { domain }, nat: true },
    ],
    machines: [{ name: machine, interfaces: [{ network, address: '192.168.77.9/24' }] }],
  }
  const parsed = parseSpec(JSON.stringify(spec), 'test.json')
  if ('problems' in parsed) return null
  const planned = makePlan(parsed.ok, readHost('one-node'), folders, { defaultBoot })
  assert.ok('ok' in planned, JSON.stringify(planned))
  return render(planned.ok)
}

function render(plan: Plan) {
  const [network] = plan.networks
  assert.ok(network)
  const [dhcp] = renderDhcp(plan, network)
  const [nat] = renderNat(plan, network)
  assert.ok(dhcp !== undefined && nat !== undefined)
  return { config: dhcp.config, ruleset: nat.ruleset, argv: dhcp.argv }
}

describe('what dnsmasq and nft are told', () => {
  it('has no more in it than we chose, whatever names people choose', () => {
    fc.assert(
      fc.property(good, good, good, (deployment, network, machine) => {
        const texts = textsOf(deployment, network, machine, 'lab.internal')
        assert.ok(texts)
        for (const line of texts.config.trimEnd().split('\n')) assert.match(line, configLine)
        for (const line of texts.ruleset.split('\n')) assert.match(line, rulesetLine)
      }),
      { numRuns: 150 },
    )
  })

  it('never has a hostile name, domain or machine in it: those are refused', () => {
    let refused = 0
    fc.assert(
      fc.property(hostile, fc.integer({ min: 0, max: 3 }), (text, at) => {
        const names = ['pair', 'lan', 'vm1', 'internal'].map((word, index) => (index === at ? text : word))
        const texts = textsOf(names[0] ?? '', names[1] ?? '', names[2] ?? '', names[3] ?? '')
        if (texts === null) {
          refused++
          return
        }
        assert.match(text, namePattern)
        for (const line of texts.config.trimEnd().split('\n')) assert.match(line, configLine)
        for (const line of texts.ruleset.split('\n')) assert.match(line, rulesetLine)
      }),
      { numRuns: 300 },
    )
    assert.ok(refused > 50, `${refused} refused`)
  })

  it('makes host names that DNS takes, or none', () => {
    fc.assert(
      fc.property(good, (name) => {
        const made = hostName({ name, cloudInit: null })
        if (made !== null) assert.match(made, /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/)
      }),
    )
    assert.equal(hostName({ name: 'Web_1.', cloudInit: null }), 'web-1')
  })
})
