import { row } from './error-row.js'

/** Rows of the table in errors.ts about disks, seeds, firmware and the console. */
export const storageErrors = {
  'image-format': row(
    3,
    'The format of an image is not clear.',
    'Add format: raw or format: qcow2 to the disk; `qemu-img info` tells which it is.',
  ),
  'image-shared': row(
    3,
    'An image that a guest writes is used twice.',
    'Leave overlay: false out: then each machine writes an overlay of its own.',
  ),
  'image-size': row(3, 'A disk would be smaller than its image.', 'Give it a larger size, or none.'),
  'image-missing': row(4, 'There is no such image, kernel or RAM disk.', 'Check the path in the spec.'),
  'image-unusable': row(
    4,
    'The image cannot be used.',
    'Make it a single raw or qcow2 file: `qemu-img convert -O qcow2 OLD NEW`.',
  ),
  'disk-differs': row(
    4,
    'A disk of the machine is there already, and it is another one.',
    'Keep the disk as it was in the spec, grow it with `qemu-img resize`, or remove it: `vhostkit destroy NAME --disks`.',
  ),
  'maker-missing': row(
    4,
    'A program that makes disks is not installed.',
    'Run bin/setup, or install qemu-utils and xorriso.',
  ),
  'firmware-missing': row(
    4,
    'There is no UEFI firmware on this host.',
    'Run bin/setup, install ovmf, or use firmware: bios.',
  ),
  'devices-many': row(
    3,
    'A machine has more devices than its bus has places.',
    'Put disks on scsi, which takes one place for all of them, or use driver: libvirt, which adds bridges.',
  ),
  'disk-failed': row(
    1,
    'A file of a machine could not be made.',
    'Make room, or choose another folder with --state-dir.',
  ),
  'console-busy': row(
    4,
    'Somebody else is attached to the console.',
    'Wait until they have detached; what the machine says is also in its console log.',
  ),
}
