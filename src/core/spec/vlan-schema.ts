import { z } from 'zod'
import type { VlanSpec } from './spec.js'

/** The shape of an interface's `vlan`. */
const vlanText = {
  error: 'a VLAN id, 1 to 4094, or a mapping with trunk (1 to 256 of them, each once) and native',
}
const vlanId = z.int(vlanText).min(1, vlanText).max(4094, vlanText)
const trunkIds = z
  .array(vlanId, vlanText)
  .min(1, vlanText)
  .max(256, vlanText)
  .refine((ids) => new Set(ids).size === ids.length, vlanText)
  .transform((ids) => [...ids].sort((a, b) => a - b))
export const vlanSchema = z.union(
  [
    vlanId.transform((tag): VlanSpec => ({ tag })),
    z
      .strictObject({ trunk: trunkIds, native: vlanId.optional() }, vlanText)
      .transform(({ trunk, native }): VlanSpec => (native === undefined ? { trunk } : { trunk, native })),
  ],
  vlanText,
)
