import { z } from 'zod'

const spread = z.strictObject({ median: z.number(), min: z.number(), max: z.number() })
const peers = ['vhostkit', 'vhostkit-old', 'ovs', 'testpmd', 'kernel'] as const
const labels = {
  peer: z.enum(peers),
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
  crossing: z.strictObject({ ns: spread, repeated: z.number().int().min(0) }).optional(),
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
  growth: z
    .array(
      z.strictObject({
        peer: z.enum(peers),
        workload: z.enum(['ports', 'addresses']),
        ports: z.number().int(),
        addresses: z.number().int(),
        cycles: spread,
      }),
    )
    .optional(),
  latency: z
    .array(
      z.strictObject({
        peer: z.enum(['vhostkit-adaptive', 'vhostkit-poll', 'ovs', 'testpmd']),
        load: z.enum(['idle', '10 %']),
        size: z.number().int(),
        runs: z.number().int(),
        rate: z.number().positive(),
        frames: z.number().int().positive(),
        lost: z.number().int().min(0),
        unseen: z.number().int().min(0),
        p50_us: spread,
        p99_us: spread,
        p999_us: spread,
        max_us: spread,
      }),
    )
    .optional(),
  wake_floor: z
    .strictObject({ runs: z.number().int(), p50_us: spread, p99_us: spread, p999_us: spread })
    .optional(),
  quiet: z
    .strictObject({
      ports: z.number().int(),
      runs: z.number().int(),
      cpu_percent: spread,
      rss_mb: spread,
      start_ms: spread,
      restart_ms: spread,
    })
    .optional(),
  outage: z
    .strictObject({
      kills: z.number().int().positive(),
      p50_ms: z.number(),
      p99_ms: z.number(),
      max_ms: z.number(),
      all_ms: z.array(z.number().positive()),
    })
    .optional(),
})
