import type { Facts } from '../facts/facts.js'
import { tapName, tapPort } from '../spec/names.js'
import type { Spec } from '../spec/spec.js'
import type { Notes } from './notes.js'
import type { NetworkPlan } from './plan.js'

export function planNetworks(spec: Spec, facts: Facts, notes: Notes): NetworkPlan[] {
  return spec.networks.map(({ name, mtu, hostAddresses }, index) => {
    if (hostAddresses.length === 0) return { name, mtu, tap: null }
    if (!facts.canCreateTaps) {
      const expected = 'a user who may create taps'
      const path = ['networks', index, 'host']
      notes.refuse({ code: 'taps-not-allowed', path, expected, found: `uid ${facts.uid} without that right` })
    }
    const ifname = tapName(spec.name, name)
    notes.because(
      `network ${name} host`,
      ifname,
      `The spec gives the host ${hostAddresses.join(', ')}: a tap carries it.`,
    )
    return { name, mtu, tap: { port: tapPort(spec.name, name), ifname, addresses: hostAddresses } }
  })
}
