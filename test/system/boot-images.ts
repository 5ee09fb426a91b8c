import { execFileSync } from 'node:child_process'
import { copyFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { guestCmdline } from '../../src/demo/guest/cmdline.js'

const mib = 1024 * 1024

/** What a test's machines boot and read, made in its own folder. */
export interface BootImages {
  /** qcow2 of 16M that begins with `greeting`. */
  data: string
  /** Raw, with a loader of 512 bytes that says `biosWords` on the serial port. */
  bios: string
  /** Raw, FAT: UEFI's shell finds startup.nsh, which boots the test guest's kernel. */
  uefi: string
  /** An ISO with one file, README. */
  cdrom: string
}

export const greeting = 'this is what the image holds'
export const biosWords = 'booted by the BIOS from a disk'

/** A comma and a blank in a name are what QEMU's options and XML must survive. */
export function makeBootImages(base: string, guest: { kernel: string; initrd: string }): BootImages {
  const images = {
    data: join(base, 'data,of "one" <1>.qcow2'),
    bios: join(base, 'bios.img'),
    uefi: join(base, 'uefi.img'),
    cdrom: join(base, 'tools.iso'),
  }
  const raw = join(base, 'data.raw')
  writeFileSync(
    raw,
    Buffer.concat([Buffer.from(`${greeting}\n`), Buffer.alloc(16 * mib - greeting.length - 1)]),
  )
  execFileSync('qemu-img', ['convert', '-q', '-O', 'qcow2', raw, images.data])
  writeFileSync(images.bios, Buffer.concat([bootSector(biosWords), Buffer.alloc(mib - 512)]))
  makeUefiImage(images.uefi, base, guest)
  const readme = join(base, 'README')
  writeFileSync(readme, 'tools\n')
  execFileSync('xorriso', ['-as', 'genisoimage', '-quiet', '-rational-rock', '-output', images.cdrom, readme])
  return images
}

/** 16-bit code at 0x7c00: sends each byte of the text to the first serial port, then halts. */
function bootSector(text: string): Buffer {
  const code = Buffer.from([
    0xfa, // cli
    0x31,
    0xc0, // xor ax, ax
    0x8e,
    0xd8, // mov ds, ax
    0xfc, // cld
    0xbe,
    0x00,
    0x00, // mov si, text
    0xba,
    0xf8,
    0x03, // mov dx, 0x3f8
    0xac, // next: lodsb
    0x84,
    0xc0, // test al, al
    0x74,
    0x03, // jz halt
    0xee, // out dx, al
    0xeb,
    0xf8, // jmp next
    0xf4, // halt: hlt
    0xeb,
    0xfd, // jmp halt
  ])
  code.writeUInt16LE(0x7c00 + code.length, 7)
  const sector = Buffer.alloc(512)
  Buffer.concat([code, Buffer.from(`\r\n${text}\r\n\0`)]).copy(sector)
  sector.writeUInt16LE(0xaa55, 510)
  return sector
}

function makeUefiImage(
  path: string,
  base: string,
  { kernel, initrd }: { kernel: string; initrd: string },
): void {
  const script = join(base, 'startup.nsh')
  // The kernel is a program of UEFI by itself; the shell gives it its words.
  writeFileSync(script, `fs0:\\vmlinuz.efi ${guestCmdline} pci=nomsi initrd=\\initrd.gz\r\n`)
  const loader = join(base, 'vmlinuz.efi')
  copyFileSync(kernel, loader)
  writeFileSync(path, Buffer.alloc(40 * mib))
  execFileSync('mformat', ['-i', path, '::'])
  execFileSync('mcopy', ['-i', path, loader, script, '::'])
  execFileSync('mcopy', ['-i', path, initrd, '::initrd.gz'])
}
