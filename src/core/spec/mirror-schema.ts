import { z } from 'zod'
import { namePattern } from './names.js'
import { gib, mib, parseSize, sizePattern } from './size.js'
import type { MirrorSpec } from './spec.js'

/** The shape of an interface's `mirror`. */
const mirrorText = {
  error:
    'to (an interface such as vm3 or vm3/1) or file (a name without a folder, and maybe snaplen, 64 to 65535, and limit, 1M to 1T), and direction inbound, outbound or both',
}
const mirrorDirection = z.enum(['inbound', 'outbound', 'both'], mirrorText).default('both')
/** A machine, and the number of one of its interfaces. */
export const mirrorTargetPattern = /^([A-Za-z0-9][A-Za-z0-9_.-]{0,62})(?:\/([0-9]|1[0-5]))?$/
const mirrorLimit = z
  .union([z.string().regex(sizePattern, mirrorText), z.int(mirrorText)], mirrorText)
  .default('64M')
  .transform((size) => parseSize(String(size)) ?? 0)
  .refine((bytes) => bytes >= mib && bytes <= 1024 * gib, mirrorText)
export const mirrorSchema = z.union(
  [
    z.strictObject(
      { to: z.string(mirrorText).regex(mirrorTargetPattern, mirrorText), direction: mirrorDirection },
      mirrorText,
    ),
    z
      .strictObject(
        {
          file: z.string(mirrorText).regex(namePattern, mirrorText),
          direction: mirrorDirection,
          snaplen: z.int(mirrorText).min(64, mirrorText).max(65535, mirrorText).optional(),
          limit: mirrorLimit,
        },
        mirrorText,
      )
      .transform(({ limit, ...rest }): MirrorSpec => ({ ...rest, limitBytes: limit })),
  ],
  mirrorText,
)
