import { release } from 'node:os'
import { readText } from '../../src/world/files.js'
import { generatorCore, switchCore } from './pinned.js'

/** The machine on which was measured. */
export interface Machine {
  cpu: string
  cores: number
  kernel: string
  tsc_mhz: number
  /** Of the guests' memory. */
  page_bytes: number
  generator_core: number
  switch_core: number
}

export async function readMachine(tscMhz: number, huge: boolean): Promise<Machine> {
  const cpu = parseCpu((await readText('/proc/cpuinfo')) ?? '')
  return {
    ...cpu,
    kernel: release(),
    tsc_mhz: Math.round(tscMhz * 10) / 10,
    page_bytes: huge ? 2 * 1024 * 1024 : 4096,
    generator_core: generatorCore,
    switch_core: switchCore,
  }
}

/** The model with family and model number: virtual machines hide the name, not the numbers. */
export function parseCpu(text: string): { cpu: string; cores: number } {
  const value = (key: string) => new RegExp(`^${key}\\s*: (.*)$`, 'm').exec(text)?.[1] ?? '?'
  return {
    cpu: `${value('model name')} (family ${value('cpu family')}, model ${value('model')})`,
    cores: text.match(/^processor\s*:/gm)?.length ?? 0,
  }
}
