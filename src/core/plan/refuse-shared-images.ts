import type { Facts } from '../facts/facts.js'
import { showPath } from '../spec/problem.js'
import type { Spec } from '../spec/spec.js'
import type { Notes } from './notes.js'

/** An image that one guest writes has no other use: not for another machine, nor as what an overlay lies over. */
export function refuseSharedImages({ machines }: Spec, { images }: Facts, notes: Notes): void {
  const uses = machines.flatMap(({ disks }, machine) =>
    disks.flatMap(({ image, use }, disk) => {
      if (image === null) return []
      const identity = images.find(({ path }) => path === image)?.identity ?? image
      return [{ image, identity, writes: use === 'direct', path: ['machines', machine, 'disks', disk] }]
    }),
  )
  uses.forEach((use, index) => {
    const first = uses
      .slice(0, index)
      .find((other) => other.identity === use.identity && (other.writes || use.writes))
    if (first === undefined) return
    const found = `${use.image}, which is also ${showPath(first.path)}`
    const expected = use.writes ? 'an image of its own, for it is written' : 'an image that no guest writes'
    notes.refuse({ code: 'image-shared', path: use.path, expected, found })
  })
}
