import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { VhostkitError } from '../../core/errors.js'
import { cardsOf } from '../../core/hotplug/domain-cards.js'
import type { DomainTarget } from '../../core/steps/steps.js'
import { parseXml } from '../../core/xml/parse-xml.js'
import { removeFolder, writeTextAtomic } from '../../world/files.js'
import type { ProgramResult } from '../../world/run-program.js'
import type { Verdict } from '../driver.js'
import { mustVirsh, said, virsh } from './virsh.js'

/** QEMU blocks, monitor and all, until the switch has connected: that takes milliseconds, or never ends. */
const attachLimitMs = 15_000
/** libvirt itself waits 5 s for the guest to let go. */
const detachLimitMs = 20_000

/** Plugs a card in; its port must be in the switch before. */
export async function attachInterface(
  target: DomainTarget,
  xml: string,
  signal?: AbortSignal,
): Promise<void> {
  const result = await withFile(xml, (path) =>
    virsh(target.connect, ['attach-device', target.uuid, path, ...scopeOf(target)], {
      timeoutMs: attachLimitMs,
      signal,
    }),
  )
  if (result.ok) return
  signal?.throwIfAborted()
  throw describe(result)
}

/** Asks for a card to be taken out; the guest lets go of it later. Nothing happens when it is not there. */
export async function detachInterface(target: DomainTarget, xml: string): Promise<void> {
  const result = await withFile(xml, (path) =>
    virsh(target.connect, ['detach-device', target.uuid, path, ...scopeOf(target)], {
      timeoutMs: detachLimitMs,
    }),
  )
  if (result.ok || isNoCard(result.stderr)) return
  throw new VhostkitError('domain-failed', {
    sentence: `libvirt could not take the card out: ${said(result)}.`,
    cause: result.stderr,
  })
}

/** Whether a domain has a card, in each of the definitions asked for. */
export async function checkInterface(target: DomainTarget, mac: string, present: boolean): Promise<Verdict> {
  const { connect, uuid, live, config } = target
  const wanted = [
    ...(live ? [{ name: 'the running machine', args: [] }] : []),
    ...(config ? [{ name: 'its definition', args: ['--inactive'] }] : []),
  ]
  for (const { name, args } of wanted) {
    const xml = await mustVirsh(connect, ['dumpxml', ...args, uuid])
    const there = cardsOf(parseXml(xml), '').some((card) => card.mac === mac)
    if (there !== present)
      return { ok: false, found: `${name} ${there ? 'still has' : 'has no'} card ${mac}` }
  }
  return { ok: true, found: '' }
}

function scopeOf({ live, config }: DomainTarget): string[] {
  return [...(live ? ['--live'] : []), ...(config ? ['--config'] : [])]
}

function isNoCard(stderr: string): boolean {
  return /no (matching )?(network )?device (matching|was found|found)|device not found|no device matching/i.test(
    stderr,
  )
}

function describe(result: ProgramResult): VhostkitError {
  const { stderr } = result
  if (result.timedOut) {
    return new VhostkitError('domain-failed', {
      sentence: `QEMU did not take the card within ${attachLimitMs / 1000} s: it waits for the switch.`,
      hint: 'See `vhostkit switch status`; when the switch answers again, so does the machine.',
      cause: stderr,
    })
  }
  if (/No more available PCI (slots|addresses)/i.test(stderr)) {
    return new VhostkitError('domain-refused', {
      sentence: 'No PCI port is free in the machine.',
      hint: "Add <controller type='pci' model='pcie-root-port'/> while it is off.",
      cause: stderr,
    })
  }
  return new VhostkitError('domain-failed', {
    sentence: `libvirt could not plug the card in: ${said(result)}.`,
    cause: stderr,
  })
}

/** virsh reads an element from a file only; the folder is ours, so nobody can change it meanwhile. */
async function withFile<T>(text: string, task: (path: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'vhostkit-device-'))
  try {
    const path = join(folder, 'device.xml')
    await writeTextAtomic(path, text)
    return await task(path)
  } finally {
    await removeFolder(folder)
  }
}
