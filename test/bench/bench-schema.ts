import { z } from 'zod'

const spread = z.strictObject({ median: z.number(), min: z.number(), max: z.number() })
const labels = {
  peer: z.enum(['vhostkit', 'vhostkit-old', 'ovs', 'testpmd', 'kernel']),
  frontend: z.enum(['ours', 'virtio-user', 'tap']),
  workload: z.string(),
  size: z.number().int(),
}

/** The shape of `npm run bench -- --json`, as native/bench/README.md has it. */
export const benchSchema = z.strictObject({
  machine: z.strictObject({
    cpu: z.string().min(1),
    cores: z.number().int().positive(),
    kernel: z.string().min(1),
    tsc_mhz: z.number().positive(),
    page_bytes: z.number().int(),
    generator_core: z.number().int(),
    switch_core: z.number().int(),
  }),
  versions: z.record(z.string(), z.string()),
  floor: z.array(
    z.strictObject({
      size: z.number().int(),
      cycles: z.number().positive(),
      min: z.number(),
      max: z.number(),
    }),
  ),
  rows: z.array(
    z.strictObject({
      ...labels,
      ports: z.number().int(),
      addresses: z.number().int(),
      runs: z.number().int(),
      mpps: spread,
      cycles_per_frame: spread,
      busy: z.number().min(0).max(1.05),
      cycles_source: z.string().min(1),
      generator_cycles: z.number().nullable(),
    }),
  ),
  ratios: z.array(z.strictObject({ ...labels, mpps: spread })),
  missing: z.array(z.strictObject({ what: z.string(), why: z.string() })),
})
