import { z } from 'zod'
import { expecting, mapping, text } from './shape.js'
import type { BootSpec } from './spec.js'
import { pathSchema } from './value-schemas.js'

const bootText = 'disk, cdrom, or a mapping with kernel, initrd, cmdline'
const cmdline = text(/^[^\0\r\n]{0,2047}$/, 'a kernel command line: one line of at most 2047 characters')

/** What a machine boots: a kernel, or what is on its disks. */
export const bootSchema = z
  .preprocess(
    (value) => (typeof value === 'string' ? { from: value } : value),
    mapping(
      {
        kernel: pathSchema.optional(),
        initrd: pathSchema.optional(),
        cmdline: cmdline.optional(),
        from: z.enum(['disk', 'cdrom'], expecting(bootText)).optional(),
      },
      bootText,
    ),
  )
  .refine(({ kernel, from }) => from !== undefined || kernel !== undefined, {
    ...expecting('an absolute path'),
    path: ['kernel'],
  })
  .refine(
    ({ kernel, initrd, cmdline, from }) => from === undefined || (kernel ?? initrd ?? cmdline) === undefined,
    {
      ...expecting(bootText),
      path: ['from'],
    },
  )
  .transform(({ kernel = '', initrd = '', cmdline = 'console=ttyS0', from }): BootSpec | 'disk' | 'cdrom' =>
    from === undefined ? { kernel, initrd, cmdline } : from,
  )
