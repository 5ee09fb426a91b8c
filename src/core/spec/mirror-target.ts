/** The interface that a mirror's `to` means: "vm3" its first one, "vm3/1" its second. */
export function readMirrorTarget(to: string): { machine: string; index: number } {
  const [machine = '', index = '0'] = to.split('/')
  return { machine, index: Number(index) }
}
