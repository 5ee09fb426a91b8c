import type { BandwidthSpec, InterfaceSpec } from '../spec/spec.js'
import type { PortPolicy, PortRate } from './plan.js'

/** The guest's inbound is what the switch sends to the port: tx. */
export function planRate({ inbound, outbound }: InterfaceSpec): Pick<PortPolicy, 'rate'> {
  if (inbound === null && outbound === null) return {}
  const rx = outbound === null ? {} : { rx: inBytes(outbound) }
  const tx = inbound === null ? {} : { tx: inBytes(inbound) }
  return { rate: { ...rx, ...tx } }
}

/** As libvirt has tc do it: a kilobyte a second is 1000 bytes, one of a burst 1024. */
function inBytes({ average, peak, burst, packets }: BandwidthSpec): PortRate {
  return {
    ...(average === undefined ? {} : { bytes: average * 1000 }),
    ...(burst === undefined ? {} : { burst: burst * 1024 }),
    ...(peak === undefined ? {} : { peak: peak * 1000 }),
    ...(packets === undefined ? {} : { frames: packets }),
  }
}
