import { attributeOf, elementsOf, type XmlElement } from '../xml/xml.js'

type Report = (what: string, why: string) => void

/** libvirt's `<bandwidth>` has the same units. */
export function takeBandwidth(bandwidth: XmlElement | null, report: Report): Record<string, unknown> {
  if (bandwidth === null) return {}
  const limits = ['inbound', 'outbound'].flatMap((name) => {
    const given = elementsOf(bandwidth, name)[0]
    if (given === undefined) return []
    const words = ['average', 'peak', 'burst'].flatMap((key) => {
      const value = Number(attributeOf(given, key) ?? 0)
      const most = key === 'burst' ? 1_048_576 : 12_500_000
      return Number.isInteger(value) && value > 0 ? [[key, Math.min(value, most)] as const] : []
    })
    const limit = Object.fromEntries(words)
    if (attributeOf(given, 'floor') !== null)
      report('the floor of its bandwidth', 'The switch promises nobody a share.')
    if (limit.average === undefined) return []
    return [
      [name, (limit.peak ?? limit.average) < limit.average ? { average: limit.average } : limit] as const,
    ]
  })
  return limits.length === 0 ? {} : { bandwidth: Object.fromEntries(limits) }
}

/** An access port for one tag, a trunk for several. */
export function takeVlan(vlan: XmlElement | null, report: Report): Record<string, unknown> {
  if (vlan === null) return {}
  const tags = elementsOf(vlan, 'tag').map((tag) => ({ tag, id: Number(attributeOf(tag, 'id')) }))
  const ids = [...new Set(tags.map(({ id }) => id))].filter(
    (id) => Number.isInteger(id) && id >= 1 && id <= 4094,
  )
  if (ids.length === 0 || ids.length < tags.length || ids.length > 256) {
    report('its VLANs', 'They are 1 to 4094, each once, 256 at most.')
    return {}
  }
  const isTrunk = attributeOf(vlan, 'trunk') === 'yes' || ids.length > 1
  const native = tags.find(({ tag }) => attributeOf(tag, 'nativeMode') !== null)
  if (attributeOf(native?.tag ?? null, 'nativeMode') === 'tagged')
    report('its native VLAN that is tagged', 'A native VLAN is untagged.')
  if (!isTrunk) return { vlan: ids[0] }
  return {
    vlan: { trunk: ids.sort((a, b) => a - b), ...(native === undefined ? {} : { native: native.id }) },
  }
}
