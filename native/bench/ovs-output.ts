/** Cycles and packets of all poll-mode threads, from `dpif-netdev/pmd-stats-show`. */
export function parsePmdStats(text: string): { processingCycles: number; packets: number } {
  // The main thread has a section of its own, which polls nothing.
  const sections = text
    .split(/^(?=pmd thread |main thread)/m)
    .filter((section) => section.startsWith('pmd thread'))
  const sum = (pattern: RegExp) =>
    sections.reduce((total, section) => total + Number(pattern.exec(section)?.[1] ?? 0), 0)
  return {
    processingCycles: sum(/processing cycles: (\d+)/),
    packets: sum(/packets received: (\d+)/),
  }
}
