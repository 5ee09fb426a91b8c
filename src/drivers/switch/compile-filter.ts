import { type FilterInstruction, parseFilter } from '../../core/capture/parse-filter.js'
import { VhostkitError } from '../../core/errors.js'
import { runProgram } from '../../world/run-program.js'

/** An expression as tcpdump has it ("tcp port 80"), as the program that the switch runs on each frame. */
export async function compileFilter(expression: string): Promise<FilterInstruction[]> {
  // Only the link type is asked of tcpdump: it opens no interface, and needs no rights.
  const result = await runProgram('tcpdump', ['-y', 'EN10MB', '-ddd', '--', expression])
  if (result.exitCode === null && !result.timedOut) {
    throw new VhostkitError('tcpdump-missing', { cause: result.failure })
  }
  if (!result.ok) {
    throw new VhostkitError('usage', {
      sentence: `--filter takes an expression as tcpdump does; of "${expression}" it says: ${lastLine(result.stderr)}.`,
      hint: 'See pcap-filter(7); as in --filter "tcp port 80 and host 10.0.0.1".',
    })
  }
  const program = parseFilter(result.stdout)
  if (program !== null) return program
  throw new VhostkitError('program-failed', {
    sentence: `tcpdump compiled "${expression}" to something that is no program of its filter.`,
  })
}

function lastLine(text: string): string {
  const line = text.trim().split('\n').at(-1) ?? ''
  return line.replace(/^tcpdump: /, '').replace(/\.$/, '')
}
