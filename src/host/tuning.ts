import type { Tuning } from '../core/doctor/examine-tuning.js'
import { listFolder, readText } from '../world/files.js'
import { parseCpuList } from './nodes.js'

const cpus = '/sys/devices/system/cpu'

/** The word in brackets of a choice of the kernel, as in "always [madvise] never"; null when there is none. */
export function parseChoice(text: string): string | null {
  return /\[(\w+)\]/.exec(text)?.[1] ?? null
}

export async function readTuning(): Promise<Omit<Tuning, 'workerCores'>> {
  const [iommus, thp, isolated, names] = await Promise.all([
    listFolder('/sys/class/iommu'),
    readText('/sys/kernel/mm/transparent_hugepage/enabled'),
    readText(`${cpus}/isolated`),
    listFolder(cpus),
  ])
  const governors = await Promise.all(
    names
      .filter((name) => /^cpu\d+$/.test(name))
      .map((name) => readText(`${cpus}/${name}/cpufreq/scaling_governor`).catch(() => null)),
  )
  return {
    iommus,
    thp: parseChoice(thp ?? ''),
    isolated: parseCpuList(isolated ?? ''),
    governors: [...new Set(governors.flatMap((text) => (text === null ? [] : [text.trim()])))].sort(),
  }
}
