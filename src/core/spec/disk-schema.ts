import { z } from 'zod'
import { expecting, mapping, yesOrNo } from './shape.js'
import { gib, mib } from './size.js'
import type { DiskSpec } from './spec.js'
import { pathSchema, sizeOf } from './value-schemas.js'

const diskText = 'the path of an image, or a mapping with image, cdrom or size'
const readonlyText = expecting('a disk that the guest writes, for a size or without overlay')
const cdromText = expecting('cdrom alone: it has no other keys')

export const diskSizeSchema = sizeOf(mib, 64 * 1024 * gib, 'a size such as 20G, 1M to 64T')

/** One disk: an image (with an overlay of the machine's own unless told), a CD, or an empty one of a size. */
export const diskSchema = z
  .preprocess(
    (value) => (typeof value === 'string' ? { image: value } : value),
    mapping(
      {
        image: pathSchema.optional(),
        cdrom: pathSchema.optional(),
        format: z.enum(['raw', 'qcow2'], expecting('raw or qcow2')).optional(),
        size: diskSizeSchema.optional(),
        overlay: yesOrNo.optional(),
        readonly: yesOrNo.default(false),
        bus: z.enum(['virtio', 'sata', 'scsi'], expecting('virtio, sata or scsi')).optional(),
      },
      diskText,
    ),
  )
  .refine(({ image, cdrom, size }) => (image ?? cdrom ?? size) !== undefined, expecting(diskText))
  .refine(
    ({ cdrom, image, format, size, overlay, readonly, bus }) =>
      cdrom === undefined || ((image ?? format ?? size ?? overlay ?? bus) === undefined && !readonly),
    { ...cdromText, path: ['cdrom'] },
  )
  .refine(({ readonly, size, overlay }) => !readonly || (size === undefined && overlay !== true), {
    ...readonlyText,
    path: ['readonly'],
  })
  .refine(({ size, overlay }) => overlay !== false || size === undefined, {
    ...expecting('an image as large as it is: without overlay it is not resized'),
    path: ['size'],
  })
  .refine(({ image, format, overlay }) => image !== undefined || (format ?? overlay) === undefined, {
    ...expecting('an image, for its format or overlay'),
    path: ['image'],
  })
  .transform(({ image, cdrom, format, size, overlay, readonly, bus }): DiskSpec => {
    const source = {
      image: cdrom ?? image ?? null,
      format: cdrom === undefined ? (format ?? null) : 'raw',
    } as const
    const use = cdrom !== undefined ? 'cdrom' : readonly ? 'readonly' : overlay === false ? 'direct' : 'own'
    return { ...source, sizeBytes: size ?? null, use, bus: bus ?? (cdrom === undefined ? 'virtio' : 'sata') }
  })
