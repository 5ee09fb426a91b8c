/** A folder or file on the way from the root, as `stat` has it; null: it is not there. */
export interface PathStep {
  path: string
  owner: { uid: number; gid: number; mode: number } | null
}

export interface PathUser {
  name: string
  uid: number
  /** All its groups. */
  gids: number[]
}

/** What keeps a user from what he wants in the last folder; null when nothing does. */
export interface Obstacle {
  path: string
  /** "pass" is x on a folder on the way, "write" w and x on the last one. */
  wants: 'pass' | 'write' | 'exist'
}

/** Walks the modes as the kernel would for that user, so that the answer is there before QEMU asks. */
export function findObstacle(
  steps: readonly PathStep[],
  user: PathUser,
  wanted: 'pass' | 'write' = 'write',
): Obstacle | null {
  for (const [index, { path, owner }] of steps.entries()) {
    if (owner === null) return { path, wants: 'exist' }
    const wants = index === steps.length - 1 ? wanted : 'pass'
    if (!mayDo(user, owner, wants === 'write' ? 0o3 : 0o1)) return { path, wants }
  }
  return null
}

/** Whether a user may connect to a socket of these rights: that is w. */
export function mayConnect(user: PathUser, owner: NonNullable<PathStep['owner']>): boolean {
  return mayDo(user, owner, 0o2)
}

/** The first class that fits decides, as in the kernel: an owner without a bit does not get it from others. */
function mayDo(
  { uid, gids }: PathUser,
  owner: { uid: number; gid: number; mode: number },
  bits: number,
): boolean {
  if (uid === 0) return true
  const shift = owner.uid === uid ? 6 : gids.includes(owner.gid) ? 3 : 0
  return ((owner.mode >> shift) & bits) === bits
}
