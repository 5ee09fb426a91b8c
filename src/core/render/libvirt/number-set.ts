import { showRanges } from '../show-plan.js'

/** "0-3,8", as libvirt writes sets of CPUs and nodes, from numbers in any order. */
export function renderSet(numbers: number[]): string {
  return showRanges([...new Set(numbers)].sort((a, b) => a - b))
}
