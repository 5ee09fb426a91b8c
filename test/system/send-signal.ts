/**
 * Signals one process. A pid of 0 would be all of mocha's own group, a negative one another
 * group: a process that was not found fails its own test, and ends no other one.
 */
export function sendSignal(pid: number | undefined, signal: NodeJS.Signals): void {
  if (pid === undefined || !Number.isInteger(pid) || pid <= 1) {
    throw new Error(`${signal} was meant for a process that is not there (pid ${pid})`)
  }
  process.kill(pid, signal)
}
