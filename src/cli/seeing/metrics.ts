import type { Sample } from '../../drivers/switch/sample.js'
import { listFamilies } from './metric-families.js'

/** One metric of the Prometheus text format with all its samples. */
export interface MetricFamily {
  name: string
  type: 'counter' | 'gauge'
  help: string
  samples: MetricSample[]
}

export interface MetricSample {
  labels: Record<string, string>
  value: number
}

/** The counters of a switch; null: it does not answer, which is a metric, too. */
export function makeFamilies(sample: Sample | null): MetricFamily[] {
  const up: MetricFamily = {
    name: 'vhostkit_up',
    type: 'gauge',
    help: 'Whether the switch answers on its control socket.',
    samples: [{ labels: {}, value: sample === null ? 0 : 1 }],
  }
  return sample === null ? [up] : [up, ...listFamilies(sample)]
}

/** The text format, version 0.0.4. */
export function showFamilies(families: MetricFamily[]): string {
  return families
    .filter(({ samples }) => samples.length > 0)
    .map(({ name, type, help, samples }) => {
      const lines = samples.map(({ labels, value }) => `${name}${showLabels(labels)} ${value}\n`)
      return `# HELP ${name} ${escapeHelp(help)}\n# TYPE ${name} ${type}\n${lines.join('')}`
    })
    .join('')
}

function showLabels(labels: Record<string, string>): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escapeLabel(value)}"`)
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`
}

function escapeLabel(text: string): string {
  return escapeHelp(text).replace(/"/g, '\\"')
}

function escapeHelp(text: string): string {
  return text.replace(/\\/g, '\\\\').replace(/\n/g, '\\n')
}
